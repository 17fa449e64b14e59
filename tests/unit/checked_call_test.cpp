// The checked entry refuses every call the raw entry could not survive, says which array is at fault, and accepts any layout.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "ricci/abi.h"

namespace {

// As if compiled from `export product(A, x) -> y, s` with A: matrix(m, n) column-major, x: vector(n), y = A*x, s = sum(x); k is a fixed
// size.
int product(const double* const* in, double* const* out, const int64_t* dims, void* work) {
  const int64_t m = dims[0], n = dims[1];
  double* sums = static_cast<double*>(work);  // used, so that scratch too small would show
  for (int64_t i = 0; i < m; ++i) sums[i] = 0;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < m; ++i) sums[i] += in[0][i + j * m] * in[1][j];
  if (out[0])
    for (int64_t i = 0; i < m; ++i) out[0][i] = sums[i];
  if (out[1]) {
    *out[1] = 0;
    for (int64_t j = 0; j < n; ++j) *out[1] += in[1][j];
  }
  for (int64_t j = 0; j < n; ++j)
    if (std::isinf(in[1][j])) return RICCI_SINGULAR;
  return RICCI_OK;
}
size_t product_work(const int64_t* dims) { return size_t(dims[0]) * sizeof(double); }

const int64_t kSymbolic[] = {-1, -1};
const int32_t kM[] = {0}, kN[] = {1}, kMN[] = {0, 1};
const char* const kDims[] = {"m", "n"};
const ricci_array_meta kArguments[] = {{"A", 2, RICCI_F64, RICCI_COLUMN_MAJOR, kSymbolic, kMN},
                                       {"x", 1, RICCI_F64, RICCI_ROW_MAJOR, kSymbolic, kN}};
const ricci_array_meta kResults[] = {{"y", 1, RICCI_F64, RICCI_ROW_MAJOR, kSymbolic, kM},
                                     {"s", 0, RICCI_F64, RICCI_ROW_MAJOR, nullptr, nullptr}};
const ricci_meta kMeta = {
    sizeof(ricci_meta), RICCI_ABI_VERSION, 2, 2, 2, "product", kArguments, kResults, kDims, "", "", "", product, nullptr, product_work};

struct CheckedCall : testing::Test {
  // A is 2 x 3 row-major, so it is packed; [[1 2 3] [4 5 6]].
  std::vector<double> a{1, 2, 3, 4, 5, 6}, x{1, 10, 100}, y{7, 7};
  double s = 7;
  int64_t a_shape[2] = {2, 3}, a_strides[2] = {3, 1}, x_shape[1] = {3}, x_strides[1] = {1}, y_shape[1] = {2}, y_strides[1] = {1};
  ricci_array in[2] = {{a.data(), RICCI_F64, 2, a_shape, nullptr}, {x.data(), RICCI_F64, 1, x_shape, nullptr}};
  ricci_array out[2] = {{y.data(), RICCI_F64, 1, y_shape, nullptr}, {&s, RICCI_F64, 0, nullptr, nullptr}};
  ricci_report report;
  alignas(64) char work[1024];
  size_t work_bytes = sizeof work;

  int call() { return ricci_call(&kMeta, in, 2, out, 2, work, work_bytes, &report); }
  void expect_refusal(int status, int argument, const std::string& words) {
    EXPECT_EQ(call(), status);
    EXPECT_EQ(report.status, status);
    EXPECT_EQ(report.argument, argument);
    EXPECT_NE(std::string(report.message).find(words), std::string::npos) << report.message;
    EXPECT_EQ(y[0], 7) << "a refused call writes nothing";
  }
  void expect_product() {
    EXPECT_EQ(call(), RICCI_OK) << report.message;
    EXPECT_STREQ(report.message, "");
    EXPECT_EQ(y[0], 321);
    EXPECT_EQ(s, 111);
  }
};

TEST_F(CheckedCall, PacksRowMajorIntoColumnMajor) {
  expect_product();
  EXPECT_EQ(y[1], 654);
}

TEST_F(CheckedCall, TakesColumnMajorAsItIs) {
  a = {1, 4, 2, 5, 3, 6};
  a_strides[0] = 1, a_strides[1] = 2;
  in[0].strides = a_strides;
  EXPECT_EQ(ricci_call_work_bytes(&kMeta, in, out), 64u);  // nothing to pack
  expect_product();
}

TEST_F(CheckedCall, TakesNegativeAndBroadcastStridesOfInputs) {
  x = {100, 10, 1};
  x_strides[0] = -1;
  in[1].data = x.data() + 2;
  in[1].strides = x_strides;
  expect_product();
  x_strides[0] = 0;  // one number three times
  EXPECT_EQ(call(), RICCI_OK);
  EXPECT_EQ(y[0], 6);
}

TEST_F(CheckedCall, UnpacksStridedResults) {
  y = {7, 7, 7, 7};
  y_strides[0] = 2;
  out[0].data = y.data();
  out[0].strides = y_strides;
  expect_product();
  EXPECT_EQ(y[1], 7);
  EXPECT_EQ(y[2], 654);
}

TEST_F(CheckedCall, SkipsResults) {
  out[1] = {nullptr, RICCI_F64, 0, nullptr, nullptr};
  EXPECT_EQ(call(), RICCI_OK);
  EXPECT_EQ(s, 7);
}

TEST_F(CheckedCall, AcceptsEmptyArrays) {
  a_shape[1] = x_shape[0] = 0;
  in[0].data = in[1].data = nullptr;
  EXPECT_EQ(call(), RICCI_OK) << report.message;
  EXPECT_EQ(y[0], 0);
}

TEST_F(CheckedCall, RefusesWrongCounts) {
  EXPECT_EQ(ricci_call(&kMeta, in, 1, out, 2, work, work_bytes, &report), RICCI_COUNT);
  EXPECT_STREQ(report.message, "product takes 2 arguments and gives 2 results; there are 1 and 2 arrays");
}

TEST_F(CheckedCall, RefusesFloatForDouble) {
  in[1].dtype = RICCI_F32;
  expect_refusal(RICCI_DTYPE, 1, "`x` has entries of type float");
}

TEST_F(CheckedCall, RefusesWrongRank) {
  in[1].rank = 0;
  expect_refusal(RICCI_RANK, 1, "`x` has 0 axes; product takes 1");
}

TEST_F(CheckedCall, RefusesSizesThatDisagree) {
  x_shape[0] = 2;
  expect_refusal(RICCI_SHAPE, 1, "axis 1 of `x` has the size 2; its dimension n is 3 by `A`");
}

TEST_F(CheckedCall, RefusesResultsOfTheWrongSize) {
  y_shape[0] = 3;
  expect_refusal(RICCI_SHAPE, 2, "axis 1 of `y`");
}

TEST_F(CheckedCall, RefusesNegativeAndGiganticSizes) {
  x_shape[0] = -1;
  expect_refusal(RICCI_SHAPE, 1, "size -1");
  x_shape[0] = 3;
  a_shape[0] = a_shape[1] = int64_t(1) << 40;
  expect_refusal(RICCI_SHAPE, 0, "more entries than memory");
}

TEST_F(CheckedCall, RefusesMissingArrays) {
  in[1].data = nullptr;
  expect_refusal(RICCI_NULL, 1, "`x` is missing");
}

TEST_F(CheckedCall, RefusesMisalignedAddresses) {
  in[1].data = reinterpret_cast<char*>(x.data()) + 1;
  expect_refusal(RICCI_ALIGNMENT, 1, "`x`");
}

TEST_F(CheckedCall, RefusesStridesThatOverflow) {
  x_strides[0] = std::numeric_limits<int64_t>::max() / 2;
  in[1].strides = x_strides;
  expect_refusal(RICCI_STRIDE, 1, "`x`");
}

TEST_F(CheckedCall, RefusesResultsWhoseEntriesShareMemory) {
  y_strides[0] = 0;
  out[0].strides = y_strides;
  expect_refusal(RICCI_STRIDE, 2, "share memory");
}

TEST_F(CheckedCall, RefusesOverlappingResults) {
  out[0].data = x.data() + 1;
  expect_refusal(RICCI_OVERLAP, 2, "`y` overlaps `x`");
  out[0].data = y.data();
  out[1].data = y.data() + 1;
  expect_refusal(RICCI_OVERLAP, 2, "`y` overlaps `s`");
}

TEST_F(CheckedCall, AllowsOverlappingInputs) {
  in[1].data = a.data();
  EXPECT_EQ(call(), RICCI_OK);
  EXPECT_EQ(y[0], 14);
}

TEST_F(CheckedCall, RefusesScratchThatIsSmallOrMisaligned) {
  work_bytes = ricci_call_work_bytes(&kMeta, in, out) - 1;
  expect_refusal(RICCI_WORK, -1, "bytes of scratch");
  EXPECT_EQ(ricci_call(&kMeta, in, 2, out, 2, work + 8, sizeof work - 8, &report), RICCI_WORK);
}

TEST_F(CheckedCall, ReportsSingularMatrices) {
  x[0] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(call(), RICCI_SINGULAR);
  EXPECT_STREQ(report.message, "product met a singular matrix, or max or min of no entries; the results that depend on it are inf or NaN");
  EXPECT_TRUE(std::isinf(y[0]));
}

TEST_F(CheckedCall, RefusesMetadataOfAnotherVersion) {
  ricci_meta other = kMeta;
  other.abi_version = 2;
  EXPECT_EQ(ricci_call(&other, in, 2, out, 2, work, work_bytes, nullptr), RICCI_VERSION);
}

}  // namespace
