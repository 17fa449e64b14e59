// What is said to the user about a text: an error, where it is, where its causes are and how to mend it.
//
// All wording stands in diagnostics.def, one line a message; code names the line and supplies what was seen.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace ricci {

// Bytes [begin, end) of the source-th text given to a Diagnostics.
struct SourceRange {
  uint32_t source = 0, begin = 0, end = 0;
};
// From the start of `a` to the end of `b`.
inline SourceRange join(SourceRange a, SourceRange b) { return {a.source, a.begin, b.end}; }

enum class Message : uint16_t {
#define RICCI_DIAGNOSTIC(id, severity, text) id,
#include "frontend/diagnostics.def"
};

enum class Severity : uint8_t { error, warning, note, fix };

struct MessageRow {
  Message message;
  Severity severity;
  std::string_view id;    // the machine-readable name in the JSON form
  std::string_view text;  // fmt format string
};
const MessageRow& row(Message m);
size_t message_count();

// A further place or remark belonging to a diagnostic: a note has a place, a fix has not.
struct Remark {
  Message message;
  std::string text;
  SourceRange where = {};
};

struct Diagnostic {
  Message message;
  std::string text;
  SourceRange where;
  std::vector<Remark> remarks = {};

  template <class... Args>
  Diagnostic& note(SourceRange at, Message m, const Args&... args) {
    remarks.push_back({m, fmt::format(fmt::runtime(row(m).text), args...), at});
    return *this;
  }
  template <class... Args>
  Diagnostic& fix(Message m, const Args&... args) {
    remarks.push_back({m, fmt::format(fmt::runtime(row(m).text), args...), {}});
    return *this;
  }
};

class Diagnostics {
 public:
  // A text that ranges may point into; the number it gets is SourceRange::source.
  uint32_t add_source(std::string name, std::string text);

  template <class... Args>
  Diagnostic& report(Message m, SourceRange where, const Args&... args) {
    return add({m, fmt::format(fmt::runtime(row(m).text), args...), where, {}});
  }

  // Adds a fix to the first report.
  template <class... Args>
  void fix_first(Message m, const Args&... args) {
    if (!diagnostics_.empty()) diagnostics_.front().fix(m, args...);
  }

  // The text of a range.
  std::string_view text(SourceRange where) const;

  bool has_errors() const { return errors_ > 0; }
  size_t error_count() const { return errors_; }
  const std::vector<Diagnostic>& all() const { return diagnostics_; }
  void clear() { *this = {}; }

  // "file:line:column: error: text", the source line, a caret with the range, then notes and fixes; in order of position.
  std::string to_text(bool colour = false) const;
  // An array of objects {file, line, column, end_line, end_column, severity, id, message, notes, fixes}.
  std::string to_json() const;

 private:
  struct Source {
    std::string name, text;
    std::vector<uint32_t> lines;  // offsets where lines start
  };
  struct Place {
    size_t line, column;  // from 1; columns count code points
  };
  Diagnostic& add(Diagnostic d);
  Place place(uint32_t source, uint32_t offset) const;
  std::string excerpt(SourceRange where, std::string_view caret_on, std::string_view caret_off) const;
  std::vector<size_t> order() const;

  std::vector<Source> sources_;
  std::vector<Diagnostic> diagnostics_;
  size_t errors_ = 0;
};

}  // namespace ricci
