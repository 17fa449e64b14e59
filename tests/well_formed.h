// Whether emitted LaTeX and MathML are what TeX and browsers read.
#pragma once
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace ricci {

inline size_t count(const std::string& text, std::string_view part) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}

// What TeX would refuse in a formula: a brace or \right without its other one, two superscripts or two subscripts on one base. Empty if nothing.
inline std::string mistake_in_latex(const std::string& text) {
  struct Group {
    bool is_script = false, low = false, high = false;
  };
  std::vector<Group> open(1);
  bool script = false;  // a ^ or _ stands before
  const auto atom = [&] {
    if (!script) open.back().low = open.back().high = false;
    script = false;
  };
  for (size_t k = 0; k < text.size(); ++k) {
    const char c = text[k];
    if (c == ' ') continue;
    if (c == '^' || c == '_') {
      bool& used = c == '_' ? open.back().low : open.back().high;
      if (used || script) return text.substr(0, k + 1);
      used = script = true;
    } else if (c == '{') {
      open.push_back({script});
      script = false;
    } else if (c == '}') {
      if (script || open.size() == 1) return text.substr(0, k + 1);
      const bool was_script = open.back().is_script;
      open.pop_back();
      if (!was_script) atom();
    } else if (c == '\\') {
      atom();
      while (k + 1 < text.size() && std::isalpha(static_cast<unsigned char>(text[k + 1]))) ++k;
      if (!std::isalpha(static_cast<unsigned char>(text[k]))) ++k;
    } else {
      atom();
    }
  }
  if (open.size() > 1 || script) return text;
  return count(text, "\\left") == count(text, "\\right") ? "" : "\\left without \\right";
}

// The first tag that closes another element than the open one, or the operand that is missing: <msup> has two. Empty if nothing.
inline std::string mistake_in_mathml(const std::string& xml) {
  struct Element {
    std::string name;
    size_t children = 0;
  };
  const auto wants = [](std::string_view name) -> size_t {
    if (name == "mfrac" || name == "msup" || name == "msub" || name == "munder") return 2;
    return name == "msubsup" ? 3 : 0;
  };
  std::vector<Element> open(1);
  for (size_t at = 0; (at = xml.find('<', at)) != xml.npos;) {
    const size_t end = xml.find('>', at);
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end;
    if (tag.starts_with('/')) {
      if (open.back().name != tag.substr(1)) return tag;
      if (wants(open.back().name) > 0 && open.back().children != wants(open.back().name)) return "operands of " + open.back().name;
      open.pop_back();
    } else {
      ++open.back().children;
      if (!tag.ends_with('/')) open.push_back({tag.substr(0, tag.find(' '))});
    }
  }
  return open.size() == 1 ? "" : open.back().name;
}

}  // namespace ricci
