// Any bytes as .npy and as .csv: refused with a FileError, or a tensor that reads back as it was written. Seeds: tests/fuzz/seeds/files.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tools/csv.h"
#include "tools/npy.h"

using namespace ricci;

namespace {

bool same_number(double a, double b) { return a == b || (a != a && b != b); }

void expect_same(const TensorFile& a, const TensorFile& b) {
  if (a.shape != b.shape || a.data.size() != b.data.size()) std::abort();
  for (size_t k = 0; k < a.data.size(); ++k)
    if (!same_number(a.data[k], b.data[k])) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const TensorFile t = parse_npy(bytes, "fuzz.npy");
    expect_same(t, parse_npy(format_npy(t), "again"));
  } catch (const FileError&) {
  }
  try {
    const TensorFile t = parse_csv(bytes, "fuzz.csv");
    if (!t.data.empty()) expect_same(t, parse_csv(format_csv(t), "again"));
  } catch (const FileError&) {
  }
  return 0;
}
