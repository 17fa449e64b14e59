// Comma-separated numbers. The first line is a header, and skipped, if none of its fields is a number, or if it is no line of the table: it has
// words, and another number of fields than the line below.
#pragma once
#include <string>
#include <string_view>

#include "tools/tensor_file.h"

namespace ricci {

// Always of order 2. Fields are separated by commas (or semicolons or tabs, if the first line has no comma); blank lines and a UTF-8
// mark at the start are skipped; nan and inf are numbers. Throws FileError with `name` and the line.
TensorFile parse_csv(std::string_view text, const std::string& name);

// Order 2 at the most; shortest spelling that reads back to the same number.
std::string format_csv(const TensorFile& tensor);

}  // namespace ricci
