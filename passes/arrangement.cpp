#include "passes/arrangement.h"

#include <algorithm>
#include <numeric>

namespace ricci {
namespace {

constexpr size_t kHighestOrder = 4;

std::string in_words(const std::vector<size_t>& axes) {
  std::string text;
  for (size_t a : axes) text += (text.empty() ? "" : ", ") + std::to_string(a + 1);
  return text;
}

}  // namespace

Array<Quad> permuted(const Array<Quad>& a, const std::vector<size_t>& axes) {
  const size_t rank = axes.size();
  std::vector<int64_t> stride(rank, 1), shape(rank), index(rank, 0);
  for (size_t k = rank; k-- > 1;) stride[k - 1] = stride[k] * a.shape[k];
  for (size_t k = 0; k < rank; ++k) shape[k] = a.shape[axes[k]];
  Array<Quad> result(shape);
  for (Quad& v : result.data) {
    int64_t at = 0;
    for (size_t k = 0; k < rank; ++k) at += index[k] * stride[axes[k]];
    v = a.data[size_t(at)];
    for (size_t k = rank; k-- > 0 && ++index[k] == shape[k];) index[k] = 0;
  }
  return result;
}

Array<Quad> stacked(const Array<Quad>& a, size_t rows) {
  const size_t rank = a.shape.size();
  std::vector<size_t> axes;
  for (size_t k = rows; k-- > 0;) axes.push_back(k);
  for (size_t k = rank; k-- > rows;) axes.push_back(k);
  Array<Quad> result = permuted(a, axes);
  const auto product = [&](size_t from, size_t to) {
    return std::accumulate(a.shape.begin() + long(from), a.shape.begin() + long(to), int64_t{1}, std::multiplies<>());
  };
  result.shape = {product(0, rows), product(rows, rank)};
  return result;
}

std::vector<Arrangement> arrangements(const std::vector<int64_t>& from, const std::vector<int64_t>& to) {
  std::vector<Arrangement> found;
  const size_t rank = from.size();
  if (rank > kHighestOrder) return found;
  std::vector<size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  const auto leads_there = [&] { return to.size() == rank && std::ranges::equal(axes, to, {}, [&](size_t k) { return from[k]; }); };
  while (std::next_permutation(axes.begin(), axes.end()))
    if (leads_there())
      found.push_back({rank == 2 ? "transposed" : "with its axes in the order " + in_words(axes),
                       [axes](const Array<Quad>& a) { return permuted(a, axes); }, rank == 2});
  if (rank < 2) return found;
  // vec of a matrix is a column; of higher order, each way to divide the axes into those of the rows and those of the columns.
  for (size_t rows = rank == 2 ? 2 : 1; rows < std::max<size_t>(rank, 3); ++rows) {
    const std::vector<int64_t> shape = stacked(Array<Quad>(from), rows).shape;
    const bool column = rows == rank && to.size() == 1 && to[0] == shape[0];
    if (shape == to || column)
      found.push_back({"with its axes stacked by vec", [rows, to](const Array<Quad>& a) {
                         Array<Quad> s = stacked(a, rows);
                         s.shape = to;
                         return s;
                       }});
    if (std::vector<int64_t>{shape[1], shape[0]} == to)
      found.push_back({"with its axes stacked by vec, and transposed", [rows](const Array<Quad>& a) {
                         return permuted(stacked(a, rows), {1, 0});
                       }});
  }
  return found;
}

}  // namespace ricci
