// ricci simplify: an expression or a definition with its derivative operators carried out, as short as the passes can make it.
#include "tools/output.h"
#include "tools/ricci/answer.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {

int simplify_command(const Options& options) {
  Program program = load(options);
  const Definition f = chosen_definition(program, options);
  write_output(options.output, answer_text({program, f, {}, simplified(program, f.value)}, options));
  return 0;
}

}  // namespace ricci::driver
