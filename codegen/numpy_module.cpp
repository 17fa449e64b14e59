// Whole Python modules: the functions a program exports, what has no matrix form as einsums.
#include <algorithm>
#include <set>

#include "codegen/numpy.h"
#include "codegen/steps.h"
#include "ir/elementwise.h"
#include "ir/functions.h"

namespace ricci {
namespace {

constexpr std::pair<std::string_view, std::string_view> kHelpers[] = {
    {"ricci_each", "def ricci_each(h, axes, shape, *arrays):\n    \"\"\"h of what the arrays have at each entry of their first axes.\"\"\"\n"
                   "    out = np.zeros(shape)\n    for i in np.ndindex(shape[:axes]):\n        out[i] = h(*(a[i] for a in arrays))\n    return out\n"},
    {"ricci_place", "def ricci_place(whole, offset, *parts):\n    \"\"\"1 where the first index is the offset and the number of the others, in C order.\"\"\"\n"
                    "    k = int(np.prod(parts))\n    p = np.zeros((whole, k))\n    p[offset + np.arange(k), np.arange(k)] = 1\n    return p.reshape((whole,) + parts)\n"},
    {"ricci_eps", "def ricci_eps(n):\n    \"\"\"The sign of the permutation that the n indices are, else 0.\"\"\"\n    i = np.indices((n,) * n)\n"
                  "    return np.prod([np.sign(i[b] - i[a]) for b in range(n) for a in range(b)] or [np.ones((n,) * n)], axis=0)\n"},
    {"ricci_commut", "def ricci_commut(m, n):\n    \"\"\"ricci_commut(m, n) @ vec(A) is vec(A.T) for A m x n.\"\"\"\n"
                     "    return np.eye(m * n)[np.arange(m * n).reshape(n, m).T.ravel()]\n"},
    {"ricci_pow0", "def ricci_pow0(x, y):\n    \"\"\"x**y, and 0 where x is 0 and y is not.\"\"\"\n    x, y = np.asarray(x, dtype=float), np.asarray(y)\n"
                   "    return np.where((x == 0) & (y != 0), 0.0, np.power(np.where(x == 0, 1.0, x), y))\n"},
    {"ricci_nonzero", "def ricci_nonzero(r):\n    \"\"\"r, and inf for 0: what is divided by a norm is 0 where the norm is.\"\"\"\n    return np.inf if r == 0 else r\n"},
    {"ricci_adj", "def ricci_adj(a):\n    \"\"\"The adjugate, by the singular values so that it is right for singular matrices.\"\"\"\n"
                  "    u, s, vh = np.linalg.svd(a)\n    others = np.array([np.prod(np.delete(s, i)) for i in range(len(s))])\n"
                  "    return np.linalg.det(u) * np.linalg.det(vh) * (vh.T * others) @ u.T\n"},
    {"ricci_logm", "def ricci_logm(a):\n    \"\"\"The principal logarithm; NaN where an eigenvalue is on the closed negative axis.\"\"\"\n"
                   "    if a.size == 0:\n        return a\n    w = np.linalg.eigvals(a)\n    if np.any((w.imag == 0) & (w.real <= 0)):\n        return np.full(a.shape, np.nan)\n"
                   "    return np.real(scipy.linalg.logm(a))\n"},
    {"ricci_sqrtm", "def ricci_sqrtm(a):\n    \"\"\"The principal square root; NaN where an eigenvalue is on the closed negative axis.\"\"\"\n"
                    "    if a.size == 0:\n        return a\n    w = np.linalg.eigvals(a)\n    if np.any((w.imag == 0) & (w.real <= 0)):\n        return np.full(a.shape, np.nan)\n"
                    "    return np.real(scipy.linalg.sqrtm(a))\n"},
    {"ricci_eigmax", "def ricci_eigmax(a):\n    \"\"\"The largest eigenvalue of the symmetric part.\"\"\"\n"
                     "    return np.linalg.eigvalsh((a + np.swapaxes(a, -1, -2)) / 2)[..., -1]\n"},
    {"ricci_eigvecmax", "def ricci_eigvecmax(a):\n    \"\"\"The top eigenvector; its first entry within a thousandth of the largest size is positive.\"\"\"\n"
                        "    v = np.linalg.eigh((a + np.swapaxes(a, -1, -2)) / 2)[1][..., -1]\n    size = np.abs(v)\n"
                        "    lead = np.argmax(size >= 0.999 * np.max(size, axis=-1, keepdims=True), axis=-1)\n"
                        "    return v * np.where(np.take_along_axis(v, lead[..., None], axis=-1) < 0, -1.0, 1.0)\n"},
    {"ricci_softmax", "def ricci_softmax(x):\n    \"\"\"exp(x - lse(x)).\"\"\"\n    top = np.max(x, initial=-np.inf)\n    e = np.exp(x - top)\n"
                      "    return e / np.sum(e) if np.isfinite(top) else e\n"},
    {"ricci_coprod", "def ricci_coprod(x):\n    \"\"\"The product of all other entries along the last axis.\"\"\"\n"
                     "    if x.shape[-1] == 0:\n        return x\n    return np.stack([np.prod(np.delete(x, i, axis=-1), axis=-1) for i in range(x.shape[-1])], axis=-1)\n"},
    {"ricci_argmax", "def ricci_argmax(x):\n    \"\"\"The share of each entry in the maximum.\"\"\"\n"
                     "    hit = x == np.max(x, axis=-1, keepdims=True)\n    return hit / np.sum(hit, axis=-1, keepdims=True)\n"},
};

std::string substitute(std::string_view text, const std::string& arguments) {
  std::string out(text);
  if (size_t at = out.find("{}"); at != out.npos) out.replace(at, 2, arguments);
  return out;
}

class StepText {
 public:
  StepText(const Graph& g, const EmittedFunction& f) : g_(g), f_(f) {}

  std::string operator()(const EmittedStep& s) const {
    if (s.expr) return to_numpy(*s.expr);
    const Node& n = g_[s.node];
    switch (n.kind) {
      case Kind::Ein: return einsum(s.node);
      case Kind::Sum: return sum(n);
      case Kind::Map: return substitute(row(n.map_op()).numpy, operands(n));
      case Kind::Fun: return function(n);
      case Kind::Call: return call(s.node);
      case Kind::Place: case Kind::Epsilon: return spell(s.node);
      case Kind::Const: case Kind::Size: case Kind::Var: break;  // have a matrix form, or are tensors named by the program
    }
    return spell(s.node);
  }

 private:
  std::string spell(NodeId n) const {
    if (g_[n].kind == Kind::Const) return is_integer(g_[n].value()) ? python_number(g_[n].value()) : "(" + python_number(g_[n].value()) + ")";
    if (g_[n].kind == Kind::Place) {
      std::string text = "ricci_place(" + size(g_[n].type[0]) + ", " + size(DimId{g_[n].row});
      for (size_t k = 1; k < g_[n].rank(); ++k) text += ", " + size(g_[n].type[k]);
      return text + ")";
    }
    if (g_[n].kind == Kind::Epsilon) return "ricci_eps(" + size(g_[n].type[0]) + ")";
    if (auto it = f_.names.find(n); it != f_.names.end()) return python_name(it->second);
    return python_name(g_.symbol(n).name);
  }

  std::string size(DimId d) const {
    const Dim& dim = g_[d];
    if (dim.kind == Dim::Kind::Fixed) return std::to_string(dim.size);
    if (dim.kind == Dim::Kind::Symbol) return python_name(dim.name);
    std::string text;
    for (DimId part : dim.parts) text += (text.empty() ? "" : dim.kind == Dim::Kind::Sum ? " + " : " * ") + size(part);
    return text;
  }

  std::string operands(const Node& n) const {
    std::string list;
    for (NodeId o : n.operands) list += (list.empty() ? "" : ", ") + spell(o);
    return list;
  }

  // NumPy's functions act on the last axes, as ours do; SciPy's of matrices, and our own, want one matrix.
  std::string function(const Node& n) const {
    const FunctionRow& r = row(n.fun_op());
    const size_t batch = n.rank() - r.core.out;
    if (batch == 0 || r.core.in < 2 || r.numpy.starts_with("np.")) return substitute(r.numpy, operands(n));
    return each(r.numpy.substr(0, r.numpy.find('(')), batch, n);
  }

  std::string each(std::string_view function, size_t batch, const Node& n) const {
    std::string shape;
    for (DimId d : n.type) shape += size(d) + ", ";
    return "ricci_each(" + std::string(function) + ", " + std::to_string(batch) + ", (" + shape + "), " + operands(n) + ")";
  }

  std::string call(NodeId id) const {
    const std::string function = python_name(g_.symbol(id).name);
    const size_t batch = batch_rank(g_, id);
    return batch == 0 ? function + "(" + operands(g_[id]) + ")" : each(function, batch, g_[id]);
  }

  std::string sum(const Node& n) const {
    std::string out;
    for (size_t k = 0; k < n.operands.size(); ++k) {
      const Rational& c = n.coefficients[k];
      Rational size = abs(c);
      out += c < 0 ? (out.empty() ? "-" : " - ") : (out.empty() ? "" : " + ");
      if (size != 1) out += python_number(size) + " * ";
      out += spell(n.operands[k]);
    }
    if (!out.empty()) return out;
    std::string shape;
    for (DimId d : n.type) shape += size(d) + ", ";
    return "np.zeros((" + shape + "))";
  }

  // NumPy's einsum knows no repeated and no new letters in its result: they get an np.eye and an np.ones.
  std::string einsum(NodeId id) const {
    auto letter = [](Label l) { return char(l < 26 ? 'a' + l : 'A' + (l - 26)); };
    std::string inputs, arrays, result;
    std::set<Label> carried;
    Label fresh = 0;
    for (Label l : g_[id].labels) fresh = std::max(fresh, l + 1);
    auto add = [&](const std::string& letters, const std::string& array) {
      inputs += (arrays.empty() ? "" : ",") + letters;
      arrays += ", " + array;
    };
    for (const Factor& f : g_.factors(id)) {
      std::string letters;
      for (Label l : f.labels) letters += letter(l), carried.insert(l);
      add(letters, spell(f.tensor));
    }
    Labels out = g_.out(id);
    for (size_t k = 0; k < out.size(); ++k) {
      std::string extent = size(g_[id].type[k]);
      bool again = std::find(out.begin(), out.begin() + long(k), out[k]) != out.begin() + long(k);
      Label l = again ? fresh++ : out[k];
      if (again) add({letter(out[k]), letter(l)}, "np.eye(" + extent + ")");
      else if (!carried.contains(l) && std::ranges::count(out, l) == 1) add({letter(l)}, "np.ones(" + extent + ")");
      result += letter(l);
    }
    return "np.einsum(\"" + inputs + "->" + result + "\"" + arrays + ")";
  }

  const Graph& g_;
  const EmittedFunction& f_;
};

std::string spell_function(const Graph& g, const EmittedFunction& f) {
  std::string body, arguments, results;
  StepText text(g, f);
  for (const EmittedStep& s : f.steps) body += "    " + python_name(s.name) + " = " + text(s) + "\n";
  auto add_argument = [&](const std::string& name) { arguments += (arguments.empty() ? "" : ", ") + python_name(name); };
  for (const Declaration* a : f.arguments) add_argument(a->name);
  for (const std::string& h : f.functions) add_argument(h);
  for (size_t r : f.results) results += (results.empty() ? "" : ", ") + python_name(f.steps[r].name);
  std::string sizes;
  const std::vector<DimensionSource> sources = dimension_sources(g, f.arguments);
  for (size_t k = sources.size(); k-- > 0;) {  // a size that others are made of stands before them
    const DimensionSource& d = sources[k];
    const std::string name = python_name(d.dimension), size = python_name(d.argument->name) + ".shape[" + std::to_string(d.axis) + "]";
    if (mentions(body + sizes, name)) sizes = "    " + name + " = " + dimension_text(d, size, " // ", python_name) + "\n" + sizes;
  }
  for (const std::string& d : unsourced_dimensions(g, f))
    if (mentions(body + sizes, python_name(d))) add_argument(d);
  return "def " + python_name(f.name) + "(" + arguments + "):\n" + sizes + body + "    return " + results + "\n";
}

}  // namespace

std::string numpy_module(const Program& program) {
  std::string functions;
  for (const EmittedFunction& f : emitted_functions(program)) functions += "\n\n" + spell_function(*program.graph, f);
  std::string head = "\"\"\"Emitted by Ricci. Columns and rows are 1-D arrays.\"\"\"\nimport numpy as np\n";
  std::string helpers;
  for (auto [name, text] : kHelpers)
    if (mentions(functions, name)) helpers += "\n\n" + std::string(text);
  if ((functions + helpers).find("scipy.linalg") != functions.npos) head += "import scipy.linalg\n";
  if (functions.find("scipy.special") != functions.npos) head += "import scipy.special\n";
  if (functions.find("scipy.stats") != functions.npos) head += "import scipy.stats\n";
  return head + helpers + functions;
}

}  // namespace ricci
