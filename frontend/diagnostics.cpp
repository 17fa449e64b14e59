#include "frontend/diagnostics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

namespace ricci {
namespace {

constexpr MessageRow kRows[] = {
#define RICCI_DIAGNOSTIC(id, severity, text) {Message::id, Severity::severity, #id, text},
#include "frontend/diagnostics.def"
};

constexpr size_t kWidth = 120;  // bytes of a source line that are shown

std::string_view name_of(Severity s) {
  constexpr std::string_view kNames[] = {"error", "warning", "note", "fix"};
  return kNames[size_t(s)];
}

struct Style {
  std::string_view bold, red, cyan, green, off;
};
constexpr Style kPlain = {"", "", "", "", ""};
constexpr Style kColour = {"\x1b[1m", "\x1b[1;31m", "\x1b[1;36m", "\x1b[1;32m", "\x1b[0m"};

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

size_t columns(std::string_view s) { return size_t(std::ranges::count_if(s, [](char c) { return !continues(c); })); }

// Source text fit for a terminal and for JSON: control characters and broken UTF-8 become question marks, tabs one space.
std::string printable(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const size_t length = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
    const bool whole = length > 0 && i + length <= text.size() && std::ranges::all_of(text.substr(i + 1, length - 1), continues);
    if (!whole || c < 0x20 || c == 0x7f) {
      out += c == '\t' ? ' ' : '?';
      ++i;
    } else {
      out += text.substr(i, length);
      i += length;
    }
  }
  return out;
}

}  // namespace

const MessageRow& row(Message m) { return kRows[size_t(m)]; }
size_t message_count() { return std::size(kRows); }

uint32_t Diagnostics::add_source(std::string name, std::string text) {
  Source s{std::move(name), std::move(text), {0}};
  for (size_t i = 0; i < s.text.size(); ++i)
    if (s.text[i] == '\n') s.lines.push_back(uint32_t(i + 1));
  sources_.push_back(std::move(s));
  return uint32_t(sources_.size() - 1);
}

std::string_view Diagnostics::text(SourceRange where) const {
  if (where.source >= sources_.size()) return {};
  const std::string_view all = sources_[where.source].text;
  const size_t begin = std::min<size_t>(where.begin, all.size());
  return all.substr(begin, std::max<size_t>(where.end, begin) - begin);
}

Diagnostic& Diagnostics::add(Diagnostic d) {
  if (row(d.message).severity == Severity::error) ++errors_;
  diagnostics_.push_back(std::move(d));
  return diagnostics_.back();
}

Diagnostics::Place Diagnostics::place(uint32_t source, uint32_t offset) const {
  const Source& s = sources_[source];
  const auto line = std::ranges::upper_bound(s.lines, offset) - 1;
  return {size_t(line - s.lines.begin()) + 1, columns(std::string_view(s.text).substr(*line, offset - *line)) + 1};
}

std::vector<size_t> Diagnostics::order() const {
  std::vector<size_t> ids(diagnostics_.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
  std::ranges::sort(ids, {}, [&](size_t i) { return std::tuple(diagnostics_[i].where.source, diagnostics_[i].where.begin, i); });
  return ids;
}

// The line around a range, cut to a window if it is long, and the caret line below.
std::string Diagnostics::excerpt(SourceRange where, std::string_view caret_on, std::string_view caret_off) const {
  const Source& s = sources_[where.source];
  const std::string_view all = s.text;
  const uint32_t start = *(std::ranges::upper_bound(s.lines, where.begin) - 1);
  const size_t stop = std::min(all.find('\n', start), all.size());
  size_t from = start, to = stop;
  if (to - from > kWidth) {
    from = where.begin > start + kWidth / 2 ? where.begin - kWidth / 2 : start;
    to = std::min<size_t>(stop, from + kWidth);
    while (from > start && continues(all[from])) --from;
    while (to < stop && continues(all[to])) ++to;
  }
  const size_t end = std::clamp<size_t>(where.end, where.begin, to);
  const std::string before = printable(all.substr(from, where.begin - from)), marked = printable(all.substr(where.begin, end - where.begin));
  const std::string after = printable(all.substr(end, to - end));
  const size_t width = std::max<size_t>(1, columns(marked));
  return fmt::format("  {}{}{}\n  {}{}^{}{}\n", before, marked, after, std::string(columns(before), ' '), caret_on, std::string(width - 1, '~'), caret_off);
}

std::string Diagnostics::to_text(bool colour) const {
  const Style& st = colour ? kColour : kPlain;
  std::string out;
  auto located = [&](SourceRange where, Severity severity, std::string_view text, std::string_view tint) {
    if (where.source >= sources_.size()) {
      out += fmt::format("{}{}: {}{}{}{}\n", tint, name_of(severity), st.off, st.bold, text, st.off);
      return;
    }
    const Place p = place(where.source, where.begin);
    out += fmt::format("{}{}:{}:{}: {}{}{}: {}{}{}{}\n", st.bold, sources_[where.source].name, p.line, p.column, st.off, tint, name_of(severity), st.off,
                       st.bold, printable(text), st.off);
    out += excerpt(where, st.green, st.off);
  };
  for (size_t i : order()) {
    const Diagnostic& d = diagnostics_[i];
    located(d.where, row(d.message).severity, d.text, st.red);
    for (const Remark& r : d.remarks) {
      if (row(r.message).severity == Severity::note) located(r.where, Severity::note, r.text, st.cyan);
      else out += fmt::format("  {}fix:{} {}\n", st.green, st.off, printable(r.text));
    }
  }
  return out;
}

std::string Diagnostics::to_json() const {
  using nlohmann::json;
  auto located = [&](SourceRange where, std::string_view text) {
    json j = {{"message", printable(text)}};
    if (where.source >= sources_.size()) return j;
    const Place begin = place(where.source, where.begin), end = place(where.source, std::max(where.begin, where.end));
    j["file"] = printable(sources_[where.source].name);
    j["line"] = begin.line;
    j["column"] = begin.column;
    j["end_line"] = end.line;
    j["end_column"] = end.column;
    return j;
  };
  json all = json::array();
  for (size_t i : order()) {
    const Diagnostic& d = diagnostics_[i];
    json j = located(d.where, d.text);
    j["severity"] = name_of(row(d.message).severity);
    j["id"] = row(d.message).id;
    j["notes"] = json::array();
    j["fixes"] = json::array();
    for (const Remark& r : d.remarks) {
      if (row(r.message).severity == Severity::note) j["notes"].push_back(located(r.where, r.text));
      else j["fixes"].push_back(printable(r.text));
    }
    all.push_back(std::move(j));
  }
  return all.dump(2) + "\n";
}

}  // namespace ricci
