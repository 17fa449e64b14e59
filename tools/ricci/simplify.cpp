// ricci simplify: an expression or a definition with its derivative operators carried out, as short as the passes can make it.
#include "tools/output.h"
#include "tools/ricci/answer.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {

int simplify_command(const Options& options) {
  Program program = load(options);
  const std::vector<Definition> chosen = chosen_definitions(program, options);
  std::string answers;
  for (const Definition& f : chosen) {
    const Answer answer{program, f, {}, simplified(program, f.value), chosen.size() > 1};
    answers += written(answer, options);
  }
  write_output(options.output, answers);
  return 0;
}

}  // namespace ricci::driver
