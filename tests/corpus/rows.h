// The corpus as data: rows of a table, and the little that separates their notation from the language.
#pragma once
#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace ricci::corpus {

struct Row {
  std::string id, declarations, function, wrt, expected, form;
  int order = 1;
};

inline std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == at) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

inline std::string trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return std::string(s);
}

inline std::vector<Row> read_rows(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  auto columns = split(line, '\t');
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    auto fields = split(line, '\t');
    auto field = [&](std::string_view name) { return trim(fields.at(size_t(std::ranges::find(columns, name) - columns.begin()))); };
    rows.push_back(
        {field("id"), field("declarations"), field("function"), field("wrt"), field("expected"), field("form"), std::stoi(field("order"))});
  }
  return rows;
}

// A term of an index formula with its sign.
struct IndexTerm {
  char sign;
  std::string text;
};

// Splits at + and - outside brackets.
inline std::vector<IndexTerm> terms_of(const std::string& formula) {
  std::vector<IndexTerm> terms;
  int depth = 0;
  char sign = '+';
  std::string term;
  auto flush = [&] {
    if (!trim(term).empty()) terms.push_back({sign, trim(term)}), sign = '+';
    term.clear();
  };
  for (char c : formula) {
    depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    if (depth == 0 && (c == '+' || c == '-')) {
      flush();
      if (c == '-') sign = sign == '-' ? '+' : '-';
    } else {
      term += c;
    }
  }
  flush();
  return terms;
}

// The letters of a term's subscripts, as often as they stand there; a bracket without a subscript is a scalar and becomes round.
inline std::string subscripts(std::string& term) {
  std::string letters, out;
  int depth = 0;
  std::vector<size_t> open;
  for (size_t k = 0; k < term.size(); ++k) {
    out += term[k];
    if (term[k] == '[' && depth++ == 0) open.push_back(out.size() - 1);
    if (term[k] == ']' && --depth == 0 && (k + 1 == term.size() || term[k + 1] != '_')) out[open.back()] = '(', out.back() = ')';
    if (depth == 0 && term[k] == '_')
      for (size_t j = k + 1; j < term.size() && std::isalpha(static_cast<unsigned char>(term[j])); ++j) letters += term[j];
  }
  term = out;
  return letters;
}

// `delta_ij` as `[eye(n)]_ij` where a letter's size is known: the table takes the sizes of free letters from the derivative.
inline std::string sized_deltas(const std::string& term, const std::map<char, std::string>& sizes) {
  std::string out;
  for (size_t at = 0; at < term.size();) {
    auto size = sizes.end();
    if (term.compare(at, 6, "delta_") == 0 && at + 8 <= term.size()) {
      size = sizes.find(term[at + 6]);
      if (size == sizes.end()) size = sizes.find(term[at + 7]);
    }
    out += size == sizes.end() ? std::string(1, term[at]) : "[eye(" + size->second + ")]";
    at += size == sizes.end() ? 1 : 5;
  }
  return out;
}

// `{ij} A_ik*B_kj + c_i*d_j` is the definition `name_ij = ...`; letters that are neither free nor a pair get an explicit sum. `sizes`, if
// known, are those of the free letters in turn.
inline std::string index_definition(const std::string& name, const std::string& formula, const std::vector<std::string>& sizes) {
  size_t close = formula.find('}');
  std::string free = formula.substr(1, close - 1), text;
  std::map<char, std::string> size_of;
  for (size_t k = 0; k < std::min(free.size(), sizes.size()); ++k) size_of[free[k]] = sizes[k];
  for (IndexTerm& term : terms_of(formula.substr(close + 1))) {
    std::string letters = subscripts(term.text), summed;
    for (char c : letters)
      if (free.find(c) == std::string::npos && summed.find(c) == std::string::npos && std::ranges::count(letters, c) != 2) summed += c;
    term.text = sized_deltas(term.text, size_of);
    for (char c : summed) term.text = std::string("sum_") + c + "(" + term.text + ")";
    text += (text.empty() ? (term.sign == '-' ? "-" : "") : std::string(" ") + term.sign + " ") + term.text;
  }
  return name + (free.empty() ? "" : "_" + (free.size() > 1 ? "{" + free + "}" : free)) + " = " + text;
}

// Entries are x(1) and A(i,j) there, and x[1] and A[i,j] in the language.
inline std::string entries_in_brackets(const std::string& formula, const std::string& declarations) {
  std::string out, name;
  std::vector<bool> entry;  // per open bracket
  for (char c : formula) {
    bool is_entry = c == '(' && !name.empty() && (" " + declarations).find(" " + name + ":") != std::string::npos;
    if (c == '(') entry.push_back(is_entry);
    bool closes = c == ')' && !entry.empty() && entry.back();
    if (c == ')' && !entry.empty()) entry.pop_back();
    out += is_entry ? '[' : closes ? ']' : c;
    name = std::isalnum(static_cast<unsigned char>(c)) ? name + c : "";
  }
  return out;
}

// The program that defines `name` as the formula: declarations, the parts after `where`, the formula itself.
inline std::string program_of(const std::string& declarations, const std::string& formula, const std::string& name,
                              const std::vector<std::string>& sizes = {}) {
  std::string text, main = formula;
  for (const std::string& d : split(declarations, ';')) text += trim(d) + "\n";
  if (size_t where = formula.find(" where "); where != std::string::npos) {
    main = formula.substr(0, where);
    for (const std::string& part : split(formula.substr(where + 7), ';')) text += trim(part) + "\n";
  }
  main = entries_in_brackets(trim(main), declarations);
  return text + (main.starts_with("{") ? index_definition(name, main, sizes) : name + " = " + main) + "\n";
}

}  // namespace ricci::corpus
