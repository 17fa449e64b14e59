// Any text as IR: refused with a place in it, or a graph that verifies and whose text reads back to itself. Seeds: tests/fuzz/seeds/ir.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ir/loops.h"
#include "ir/text.h"
#include "ir/verify.h"

using namespace ricci;

namespace {

void read_graph(std::string_view text) {
  Graph g;
  IrError error;
  const auto roots = parse_ir(g, text, error);
  if (!roots) {
    if (error.line == 0 || error.message.empty()) std::abort();
    return;
  }
  if (!verify(g, *roots).empty()) std::abort();
  const std::string printed = print_ir(g, *roots);
  Graph again;
  const auto same = parse_ir(again, printed, error);
  if (!same || print_ir(again, *same) != printed) std::abort();
}

void read_loops(std::string_view text) {
  std::string error;
  const auto program = loops::from_text(text, error);
  if (!program) {
    if (error.empty()) std::abort();
    return;
  }
  loops::verify(*program);
  const std::string printed = to_text(*program);
  const auto same = loops::from_text(printed, error);
  if (!same || to_text(*same) != printed) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (size > 2000) return 0;
  read_graph(text);
  read_loops(text);
  return 0;
}
