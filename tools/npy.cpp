// The header is short and its keys are known, so it is searched rather than parsed.
#include "tools/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

namespace ricci {
namespace {

static_assert(std::endian::native == std::endian::little);

template <class T>
double load(const char* at, bool swap) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, at, sizeof(T));
  if (swap) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return double(value);
}

struct Dtype {
  std::string_view name;
  size_t bytes;
  double (*load)(const char*, bool swap);
};
constexpr Dtype kDtypes[] = {
    {"f8", 8, load<double>},   {"f4", 4, load<float>},   {"i8", 8, load<int64_t>},  {"i4", 4, load<int32_t>},
    {"i2", 2, load<int16_t>},  {"i1", 1, load<int8_t>},  {"u8", 8, load<uint64_t>}, {"u4", 4, load<uint32_t>},
    {"u2", 2, load<uint16_t>}, {"u1", 1, load<uint8_t>}, {"b1", 1, load<uint8_t>},
};

// The text that follows 'key': in the header's dictionary.
std::optional<std::string_view> entry(std::string_view header, std::string_view key) {
  size_t at = header.find(fmt::format("'{}':", key));
  if (at == header.npos) return {};
  at = header.find_first_not_of(' ', at + key.size() + 3);
  return at == header.npos ? std::nullopt : std::optional(header.substr(at));
}

std::optional<std::vector<int64_t>> parse_shape(std::string_view text) {
  std::vector<int64_t> shape;
  if (!text.starts_with('(')) return {};
  text.remove_prefix(1);
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" ,"), text.size()));
    if (text.starts_with(')')) return shape;
    int64_t extent = -1;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc() || extent < 0) return {};
    shape.push_back(extent);
    text.remove_prefix(size_t(end - text.data()));
  }
}

// Fortran order to C order: the last index of the result runs fastest.
std::vector<double> row_major(const std::vector<double>& data, const std::vector<int64_t>& shape) {
  std::vector<double> out;
  out.reserve(data.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (size_t k = 0; k < data.size(); ++k) {
    int64_t from = 0;
    for (size_t axis = shape.size(); axis-- > 0;) from = from * shape[axis] + index[axis];
    out.push_back(data[size_t(from)]);
    for (size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];) index[axis] = 0;
  }
  return out;
}

}  // namespace

TensorFile parse_npy(std::string_view bytes, const std::string& name) {
  auto wrong = [&](std::string_view what) { return FileError(fmt::format("{}: {}", name, what)); };
  if (!bytes.starts_with("\x93NUMPY") || bytes.size() < 12) throw wrong("not a .npy file");
  size_t length_bytes = bytes[6] == 1 ? 2 : 4, length = 0;
  for (size_t k = length_bytes; k-- > 0;) length = length << 8 | uint8_t(bytes[8 + k]);
  if (length > bytes.size() - 8 - length_bytes) throw wrong("the header is cut off");
  std::string_view header = bytes.substr(8 + length_bytes, length);
  std::string_view body = bytes.substr(8 + length_bytes + length);

  auto descr = entry(header, "descr"), fortran = entry(header, "fortran_order"), shape_text = entry(header, "shape");
  if (!descr || !fortran || !shape_text || descr->size() < 5) throw wrong("the header has no descr, fortran_order or shape");
  auto shape = parse_shape(*shape_text);
  if (!shape) throw wrong("the shape in the header cannot be read");
  bool big_endian = (*descr)[1] == '>';
  std::string_view type = descr->substr(2, descr->find('\'', 1) - 2);
  auto dtype = std::ranges::find(kDtypes, type, &Dtype::name);
  if (dtype == std::end(kDtypes))
    throw wrong(fmt::format("numbers of type {} are not read (floats of 4 and 8 bytes, integers and booleans are)", type));

  size_t count = 1, limit = body.size() / dtype->bytes;
  for (int64_t extent : *shape)
    if (__builtin_mul_overflow(count, size_t(extent), &count)) throw wrong("the shape in the header overflows");
  if (count > limit)
    throw wrong(fmt::format("the shape ({}) needs {} numbers, and the file has {}", fmt::join(*shape, ", "), count, limit));
  TensorFile t{*shape, {}};
  t.data.reserve(count);
  for (size_t k = 0; k < count; ++k) t.data.push_back(dtype->load(body.data() + k * dtype->bytes, big_endian));
  if (fortran->starts_with("True")) t.data = row_major(t.data, t.shape);
  return t;
}

std::string format_npy(const TensorFile& tensor) {
  std::string shape;
  for (int64_t extent : tensor.shape) shape += fmt::format("{}, ", extent);
  if (tensor.shape.size() > 1) shape.resize(shape.size() - 2);
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", shape);
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');  // the numbers start at a multiple of 64
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size() & 0xFF);
  bytes += char(header.size() >> 8);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size() * sizeof(double));
  return bytes;
}

}  // namespace ricci
