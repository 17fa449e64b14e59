// Where a program's product goes: stdout, or a file that appears whole or not at all.
#pragma once
#include <string>
#include <string_view>

namespace ricci {

// "-" or "" is stdout. A file is written beside its destination under another name and then renamed. Throws FileError.
void write_output(const std::string& path, std::string_view bytes);

// Removes what an interrupted write_output left; safe in a signal handler.
void discard_partial_output() noexcept;

}  // namespace ricci
