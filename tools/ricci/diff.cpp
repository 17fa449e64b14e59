// ricci diff: the derivative of an expression or a definition.
#include <fmt/format.h>

#include "passes/layout.h"
#include "tools/output.h"
#include "tools/ricci/answer.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

void say_conventions(const Options& options) {
  fmt::print(stderr, "layout: {}; by a symmetric variable: {}\n", options.layout, options.symmetric);
}

}  // namespace

int diff(const Options& options) {
  Program program = load(options);
  const Definition f = chosen_definition(program, options);
  if (options.verbose) say_conventions(options);
  const DerivativeStyle style{*find_layout(options.layout), *find_symmetric_convention(options.symmetric)};
  std::string answers;
  for (const std::string& name : split_names(options.wrt)) {
    const Declaration x = differentiation_variable(program, name);
    Value answer = simplified(program, derivative(*program.graph, f.value, x, options.order, style));
    answers += answer_text({program, f, std::vector(size_t(options.order), x.node), answer}, options);
  }
  write_output(options.output, answers);
  return 0;
}

}  // namespace ricci::driver
