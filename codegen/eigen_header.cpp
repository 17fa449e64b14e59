// Whole Eigen headers: the functions a program exports, what has no matrix form as loops over an Eigen::Tensor.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "codegen/eigen.h"
#include "codegen/notation.h"
#include "codegen/steps.h"
#include "ir/elementwise.h"
#include "ir/functions.h"
#include "passes/raise.h"

namespace ricci {
namespace {

// Functions of whole vectors and matrices that Eigen has not.
constexpr std::pair<std::string_view, std::string_view> kHelpers[] = {
    {"lse", "inline double lse(const Eigen::MatrixXd& x) {\n  const double top = x.size() == 0 ? -INFINITY : x.maxCoeff<Eigen::PropagateNaN>();\n"
            "  return std::isinf(top) ? top : top + std::log((x.array() - top).exp().sum());\n}\n"},
    {"softmax", "inline Eigen::VectorXd softmax(const Eigen::VectorXd& x) {\n  if (x.size() == 0) return x;\n  const double top = x.maxCoeff<Eigen::PropagateNaN>();\n"
                "  const Eigen::VectorXd e = x.unaryExpr([top](double t) { return std::exp(t - top); });\n  return std::isfinite(top) ? Eigen::VectorXd(e / e.sum()) : e;\n}\n"},
    {"nonzero", "// What is divided by a norm is 0 where the norm is.\ninline double nonzero(double r) { return r == 0.0 ? INFINITY : r; }\n"},
    {"largest", "inline double largest(const Eigen::MatrixXd& x) { return x.maxCoeff<Eigen::PropagateNaN>(); }\n"},
    {"smallest", "inline double smallest(const Eigen::MatrixXd& x) { return x.minCoeff<Eigen::PropagateNaN>(); }\n"},
    {"coprod", "// The product of all other entries.\ninline Eigen::VectorXd coprod(const Eigen::VectorXd& x) {\n  Eigen::VectorXd c = Eigen::VectorXd::Ones(x.size());\n"
               "  for (Eigen::Index i = 0; i < x.size(); ++i)\n    for (Eigen::Index j = 0; j < x.size(); ++j)\n      if (j != i) c(i) *= x(j);\n  return c;\n}\n"},
    {"argmax", "// The share of each entry in the maximum.\ninline Eigen::VectorXd argmax(const Eigen::VectorXd& x) {\n"
               "  const Eigen::VectorXd hit = (x.array() == x.maxCoeff<Eigen::PropagateNaN>()).cast<double>().matrix();\n  return hit / hit.sum();\n}\n"},
    {"commut", "// commut(m, n) * vec(A) is vec(A') for A m x n.\ninline Eigen::MatrixXd commut(Eigen::Index m, Eigen::Index n) {\n"
               "  Eigen::MatrixXd k = Eigen::MatrixXd::Zero(m * n, m * n);\n  for (Eigen::Index i = 0; i < m; ++i)\n"
               "    for (Eigen::Index j = 0; j < n; ++j) k(i * n + j, j * m + i) = 1;\n  return k;\n}\n"},
    {"skew", "// skew(a) * b is the cross product of a and b.\ninline Eigen::Matrix3d skew(const Eigen::Vector3d& a) {\n"
             "  return (Eigen::Matrix3d() << 0, -a(2), a(1), a(2), 0, -a(0), -a(1), a(0), 0).finished();\n}\n"},
    {"adj", "// The adjugate, by the singular values so that it is right for singular matrices.\ninline Eigen::MatrixXd adj(const Eigen::MatrixXd& a) {\n"
            "  if (a.size() == 0) return a;\n  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(a, Eigen::ComputeFullU | Eigen::ComputeFullV);\n"
            "  Eigen::VectorXd others = Eigen::VectorXd::Ones(a.rows());\n  for (Eigen::Index i = 0; i < a.rows(); ++i)\n    for (Eigen::Index j = 0; j < a.rows(); ++j)\n"
            "      if (j != i) others(i) *= svd.singularValues()(j);\n"
            "  return svd.matrixU().determinant() * svd.matrixV().determinant() * svd.matrixV() * others.asDiagonal() * svd.matrixU().transpose();\n}\n"},
    {"pinv", "inline Eigen::MatrixXd pinv(const Eigen::MatrixXd& a) {\n"
             "  if (a.size() == 0) return Eigen::MatrixXd::Zero(a.cols(), a.rows());\n  return a.completeOrthogonalDecomposition().pseudoInverse();\n}\n"},
    {"expm", "inline Eigen::MatrixXd expm(const Eigen::MatrixXd& a) {\n  if (a.size() == 0) return a;\n  return a.exp();\n}\n"},
    {"sinm", "inline Eigen::MatrixXd sinm(const Eigen::MatrixXd& a) {\n  if (a.size() == 0) return a;\n  return a.sin();\n}\n"},
    {"cosm", "inline Eigen::MatrixXd cosm(const Eigen::MatrixXd& a) {\n  if (a.size() == 0) return a;\n  return a.cos();\n}\n"},
    {"logm", "// The principal logarithm; NaN where an eigenvalue is on the closed negative axis.\ninline Eigen::MatrixXd logm(const Eigen::MatrixXd& a) {\n  if (a.size() == 0) return a;\n"
             "  if (!has_principal(a)) return Eigen::MatrixXd::Constant(a.rows(), a.rows(), std::nan(\"\"));\n  return a.log();\n}\n"},
    {"sqrtm", "// The principal square root; NaN where an eigenvalue is on the closed negative axis.\ninline Eigen::MatrixXd sqrtm(const Eigen::MatrixXd& a) {\n  if (a.size() == 0) return a;\n"
              "  if (!has_principal(a)) return Eigen::MatrixXd::Constant(a.rows(), a.rows(), std::nan(\"\"));\n  return a.sqrt();\n}\n"},
    {"eigmax", "// The largest eigenvalue of the symmetric part.\ninline double eigmax(const Eigen::MatrixXd& a) {\n"
               "  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>((a + a.transpose()) / 2, Eigen::EigenvaluesOnly).eigenvalues()(a.rows() - 1);\n}\n"},
    {"eigvecmax", "// Its first entry within a thousandth of the largest size is positive.\ninline Eigen::VectorXd eigvecmax(const Eigen::MatrixXd& a) {\n"
                  "  const Eigen::VectorXd v = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>((a + a.transpose()) / 2).eigenvectors().col(a.rows() - 1);\n"
                  "  const double enough = 0.999 * v.cwiseAbs().maxCoeff();\n  Eigen::Index i = 0;\n  while (!(std::abs(v(i)) >= enough) && i + 1 < v.size()) ++i;\n"
                  "  return v(i) < 0 ? Eigen::VectorXd(-v) : v;\n}\n"},
    {"triu", "inline Eigen::MatrixXd triu(const Eigen::MatrixXd& a) { return a.triangularView<Eigen::Upper>(); }\n"},
    {"tril", "inline Eigen::MatrixXd tril(const Eigen::MatrixXd& a) { return a.triangularView<Eigen::Lower>(); }\n"},
};

// What logm and sqrtm ask first.
constexpr std::string_view kHasPrincipal =
    "inline bool has_principal(const Eigen::MatrixXd& a) {\n  if (!a.allFinite()) return false;\n  const Eigen::VectorXcd e = a.eigenvalues();\n"
    "  return ((e.array().imag() != 0) || (e.array().real() > 0)).all();\n}\n";

// Built sizes are polynomials: m * n + 1.
std::string spell_size(const Graph& g, DimId d) {
  const Dim& dim = g[d];
  if (dim.kind == Dim::Kind::Fixed) return std::to_string(dim.size);
  if (dim.kind == Dim::Kind::Symbol) return cpp_identifier(dim.name);
  std::string text;
  for (DimId part : dim.parts) text += (text.empty() ? "" : dim.kind == Dim::Kind::Sum ? " + " : " * ") + spell_size(g, part);
  return text;
}

// The type of a value: double, VectorXd, Matrix<double, 3, 4>, Tensor<double, 3>.
std::string value_type(const Graph& g, const Type& type, const std::vector<Variance>& variance) {
  if (type.empty()) return "double";
  if (type.size() > 2) return "Eigen::Tensor<double, " + std::to_string(type.size()) + ">";
  auto fixed = [&](size_t k) { return g[type[k]].kind == Dim::Kind::Fixed ? std::to_string(g[type[k]].size) : std::string("Eigen::Dynamic"); };
  bool row = type.size() == 1 && !variance.empty() && variance[0] == Variance::Down;
  bool dynamic = std::ranges::all_of(type, [&](DimId d) { return g[d].kind != Dim::Kind::Fixed; });
  if (dynamic) return type.size() == 2 ? "Eigen::MatrixXd" : row ? "Eigen::RowVectorXd" : "Eigen::VectorXd";
  if (type.size() == 2) return "Eigen::Matrix<double, " + fixed(0) + ", " + fixed(1) + ">";
  return row ? "Eigen::Matrix<double, 1, " + fixed(0) + ">" : "Eigen::Matrix<double, " + fixed(0) + ", 1>";
}

class FunctionText {
 public:
  FunctionText(const Graph& g, const EmittedFunction& f) : g_(g), f_(f) {
    for (const DimensionSource& d : dimension_sources(g, f.arguments)) dimensions_.insert(d.dimension);
    for (const std::string& d : unsourced_dimensions(g, f)) dimensions_.insert(d);
  }

  std::string operator()() const {
    std::string body, arguments;
    for (const EmittedStep& s : f_.steps) body += statement(s);
    std::string sizes;
    const std::vector<DimensionSource> sources = dimension_sources(g_, f_.arguments);
    for (size_t k = sources.size(); k-- > 0;) {  // a size that others are made of stands before them
      const std::string name = cpp_identifier(sources[k].dimension);
      if (mentions(body + sizes, name)) sizes = "  const Eigen::Index " + name + " = " + dimension_text(sources[k], extent(sources[k]), " / ", cpp_identifier) + ";\n" + sizes;
    }
    for (const Declaration* a : f_.arguments) {
      const Symbol& s = g_.symbol(a->node);
      std::string type = value_type(g_, s.type, s.variance), name = cpp_identifier(a->name);
      std::string text = s.type.empty() ? "double " + name : s.type.size() > 2 ? "const " + type + "& " + name : "const Eigen::Ref<const " + type + ">& " + name;
      bool used = mentions(body + sizes, name);
      arguments += (arguments.empty() ? "" : ", ") + std::string(used ? "" : "[[maybe_unused]] ") + text;
    }
    for (const std::string& d : unsourced_dimensions(g_, f_))
      if (mentions(body + sizes, cpp_identifier(d))) arguments += (arguments.empty() ? "" : ", ") + ("Eigen::Index " + cpp_identifier(d));
    std::string types;
    for (const std::string& h : f_.functions) {
      const std::string name = cpp_identifier(h);
      types += (types.empty() ? "" : ", ") + ("class " + name + "_type");
      arguments += (arguments.empty() ? "" : ", ") + std::string(mentions(body, name) ? "" : "[[maybe_unused]] ") + "const " + name + "_type& " + name;
    }
    if (!types.empty()) types = "template <" + types + ">\n";
    return result_struct() + types + "inline " + result_type() + " " + cpp_identifier(f_.name) + "(" + arguments + ") {\n" + sizes + body +
           "  return " + returned() + ";\n}\n";
  }

 private:
  std::string extent(const DimensionSource& d) const {
    std::string name = cpp_identifier(d.argument->name);
    size_t rank = g_[d.argument->node].rank();
    if (rank == 1) return name + ".size()";
    if (rank == 2) return name + (d.axis == 0 ? ".rows()" : ".cols()");
    return name + ".dimension(" + std::to_string(d.axis) + ")";
  }

  const EmittedStep& result(size_t k) const { return f_.steps[f_.results[k]]; }
  std::string type_of(const EmittedStep& s) const { return value_type(g_, g_[s.node].type, s.variance); }
  bool single() const { return f_.results.size() == 1; }

  std::string result_type() const { return single() ? type_of(result(0)) : cpp_identifier(f_.name) + "_result"; }
  std::string result_struct() const {
    if (single()) return "";
    std::string out = "struct " + result_type() + " {\n";
    for (size_t k = 0; k < f_.results.size(); ++k) out += "  " + type_of(result(k)) + " " + cpp_identifier(result(k).name) + ";\n";
    return out + "};\n\n";
  }
  std::string returned() const {
    std::string list;
    for (size_t k = 0; k < f_.results.size(); ++k) list += (k > 0 ? ", " : "") + cpp_identifier(result(k).name);
    return single() ? list : "{" + list + "}";
  }

  std::string statement(const EmittedStep& s) const {
    std::string name = cpp_identifier(s.name);
    if (s.expr) return "  const " + type_of(s) + " " + name + " = " + to_eigen(*s.expr, dimensions_) + ";\n";
    const Node& n = g_[s.node];
    if (n.kind == Kind::Fun || n.kind == Kind::Call) return of_slices(s, name);
    return zeros(n.type, s.variance, name, "  ") + loops(s, name);
  }

  // A variable of this name that is 0 everywhere.
  std::string zeros(const Type& type, const std::vector<Variance>& variance, const std::string& name, const std::string& indent) const {
    std::string sizes;
    for (DimId d : type) sizes += (sizes.empty() ? "" : ", ") + spell_size(g_, d);
    const std::string cpp = value_type(g_, type, variance), begin = indent + cpp + " " + name;
    if (type.empty()) return begin + " = 0;\n";
    if (type.size() <= 2) return begin + " = " + cpp + "::Zero(" + sizes + ");\n";
    return begin + "(" + sizes + ");\n" + indent + name + ".setZero();\n";
  }

  // A function, of the table or of the host, acts on the last axes of its operands: NAME(i, j, ...) is its value at the slices with the first
  // indices i, j, for every i and j. An operand with a name and no first axes is its own slice.
  std::string of_slices(const EmittedStep& s, const std::string& name) const {
    const Node& n = g_[s.node];
    const size_t batch = n.kind == Kind::Call ? batch_rank(g_, s.node) : n.rank() - row(n.fun_op()).core.out;
    const Labels out = Graph::iota(n.rank()), outer(out.begin(), out.begin() + long(batch)), core(out.begin() + long(batch), out.end());
    const std::string indent(2 * std::max<size_t>(batch, 1) + 2, ' ');
    std::string body;
    std::vector<std::string> slices;
    for (NodeId o : n.operands) {
      const Type type(g_[o].type.begin() + long(batch), g_[o].type.end());
      if (type.empty() || (batch == 0 && f_.names.contains(o))) {
        slices.push_back(entry(o, outer));
        continue;
      }
      slices.push_back("slice" + (n.operands.size() > 1 ? std::to_string(slices.size() + 1) : "") + "_");
      const Labels inner = Graph::iota(type.size(), Label(n.rank()));
      Labels all = outer;
      all.insert(all.end(), inner.begin(), inner.end());
      body += zeros(type, all_up(type), slices.back(), indent) + nest(extents(inner, type), indexed(slices.back(), inner) + " = " + entry(o, all), indent);
    }
    const std::string value = applied(s.node, slices);
    if (batch == 0 && body.empty()) return "  const " + type_of(s) + " " + name + " = " + value + ";\n";
    const Type before(n.type.begin(), n.type.begin() + long(batch)), type(n.type.begin() + long(batch), n.type.end());
    if (!type.empty()) body += indent + "const " + value_type(g_, type, all_up(type)) + " value_ = " + value + ";\n";
    body += nest(extents(core, type), indexed(name, out) + " = " + (type.empty() ? value : indexed("value_", core)), indent);
    std::string heads = loop_heads(extents(outer, before), "  ");
    if (!heads.empty()) heads.pop_back();
    return zeros(n.type, s.variance, name, "  ") + heads + (heads.empty() ? "  {\n" : " {\n") + body + indent.substr(2) + "}\n";
  }

  // A function at arguments that have names.
  std::string applied(NodeId id, const std::vector<std::string>& arguments) const {
    const Node& n = g_[id];
    if (n.kind == Kind::Call) return fmt::format("{}({})", cpp_identifier(g_.symbol(id).name), fmt::join(arguments, ", "));
    const FunctionRow& r = row(n.fun_op());
    const auto shape = [](size_t rank) { return rank == 0 ? mat::Shape::scalar() : rank == 1 ? mat::Shape::column({}) : mat::Shape::matrix({}, {}); };
    std::vector<mat::Expr> operands;
    for (const std::string& a : arguments) operands.push_back(mat::name(a, shape(r.core.in)));
    return to_eigen(mat::call(std::string(r.name), std::move(operands), shape(r.core.out)), {});
  }

  static std::vector<Variance> all_up(const Type& type) { return std::vector<Variance>(type.size(), Variance::Up); }

  using Extents = std::map<Label, DimId>;
  static Extents extents(const Labels& labels, const Type& type) {
    Extents all;
    for (size_t k = 0; k < labels.size(); ++k) all.emplace(labels[k], type[k]);
    return all;
  }
  std::string loop_heads(const Extents& extents, std::string indent) const {
    std::string text;
    for (auto [l, d] : extents) {
      const std::string i = letter(l);
      text += indent + "for (Eigen::Index " + i + " = 0; " + i + " < " + spell_size(g_, d) + "; ++" + i + ")\n";
      indent += "  ";
    }
    return text;
  }
  // A statement for every value of every label.
  std::string nest(const Extents& extents, const std::string& statement, const std::string& indent) const {
    return loop_heads(extents, indent) + indent + std::string(2 * extents.size(), ' ') + statement + ";\n";
  }

  // NAME(i, j, k) += ... for every value of every label.
  std::string loops(const EmittedStep& s, const std::string& name) const {
    const Node& n = g_[s.node];
    Labels out = n.kind == Kind::Ein ? g_.out(s.node) : Graph::iota(n.rank());
    Extents dim;
    for (size_t k = 0; k < out.size(); ++k) dim.emplace(out[k], n.type[k]);
    std::string term;
    if (n.kind == Kind::Ein) {
      for (const Factor& f : g_.factors(s.node)) {
        for (size_t k = 0; k < f.labels.size(); ++k) dim.emplace(f.labels[k], g_[f.tensor].type[k]);
        term += (term.empty() ? "" : " * ") + entry(f.tensor, f.labels);
      }
      if (term.empty()) term = "1";
    } else if (n.kind == Kind::Sum) {
      for (size_t k = 0; k < n.operands.size(); ++k) {
        Rational size = abs(n.coefficients[k]);
        term += n.coefficients[k] < 0 ? (term.empty() ? "-" : " - ") : (term.empty() ? "" : " + ");
        if (size != 1) term += number(size) + " * ";
        term += entry(n.operands[k], out);
      }
      if (term.empty()) term = "0";
    } else if (n.kind == Kind::Map) {
      term = "detail::" + std::string(row(n.map_op()).name) + "_(";
      for (size_t k = 0; k < n.operands.size(); ++k) term += (k > 0 ? ", " : "") + entry(n.operands[k], g_[n.operands[k]].rank() == 0 ? Labels{} : out);
      term += ")";
    } else {
      term = entry(s.node, out);  // a tensor that the program names, or an operand that is a result
    }
    return nest(dim, indexed(name, out) + " += " + term, "  ");
  }

  static std::string letter(Label l) { return index_letter(l) + "_"; }
  static std::string indexed(const std::string& name, const Labels& labels) {
    std::string list;
    for (Label l : labels) list += (list.empty() ? "" : ", ") + letter(l);
    return labels.empty() ? name : name + "(" + list + ")";
  }
  static std::string number(const Rational& c) {
    if (std::string wide = wide_literal(c); !wide.empty()) return wide;
    if (is_integer(c)) return to_string(c);
    return "(" + c.get_num().get_str() + ".0 / " + c.get_den().get_str() + ".0)";
  }
  std::string entry(NodeId n, const Labels& labels) const {
    if (g_[n].kind == Kind::Const) return number(g_[n].value());
    if (g_[n].kind == Kind::Place) return place_entry(g_[n], labels);
    if (g_[n].kind == Kind::Epsilon) return epsilon_entry(labels);
    auto it = f_.names.find(n);
    return indexed(cpp_identifier(it != f_.names.end() ? it->second : g_.symbol(n).name), labels);
  }

  // 1 where the whole is the offset and the number of the digits.
  std::string place_entry(const Node& place, const Labels& labels) const {
    std::string number;
    for (size_t k = 1; k < labels.size(); ++k)
      number = k == 1 ? letter(labels[k]) : "(" + number + ") * (" + spell_size(g_, place.type[k]) + ") + " + letter(labels[k]);
    const std::string offset = spell_size(g_, DimId{place.row});
    if (number.empty()) number = offset;
    else if (offset != "0") number = offset + " + " + number;
    return "(" + letter(labels[0]) + " == " + number + " ? 1.0 : 0.0)";
  }
  // The product of the signs of all differences.
  static std::string epsilon_entry(const Labels& labels) {
    std::string product;
    for (size_t k = 0; k < labels.size(); ++k)
      for (size_t j = 0; j < k; ++j) {
        const std::string a = letter(labels[j]), b = letter(labels[k]);
        product += (product.empty() ? "" : " * ") + ("((" + a + " < " + b + ") - (" + b + " < " + a + "))");
      }
    return product.empty() ? "1" : product;
  }

  const Graph& g_;
  const EmittedFunction& f_;
  std::set<std::string> dimensions_;
};

std::string helpers(const std::string& functions) {
  std::string out;
  for (const ElementwiseRow& r : elementwise_table()) {
    if (r.arity == 0 || !mentions(functions, std::string(r.name) + "_")) continue;
    std::string arguments;
    for (int k = 0; k < r.arity; ++k) arguments += std::string(k > 0 ? ", " : "") + "double " + "xyz"[k];
    out += "inline double " + std::string(r.name) + "_(" + arguments + ") { return " + std::string(r.cpp) + "; }\n";
  }
  for (auto [name, text] : kHelpers)
    if (functions.find("detail::" + std::string(name) + "(") != functions.npos) {
      if (text.find("has_principal") != text.npos && out.find("has_principal") == out.npos) out += kHasPrincipal;
      out += text;
    }
  return out.empty() ? "" : "namespace detail {\n" + out + "}  // namespace detail\n\n";
}

}  // namespace

std::string eigen_header(const Program& program) {
  std::string functions;
  for (const EmittedFunction& f : emitted_functions(program)) functions += (functions.empty() ? "" : "\n") + FunctionText(*program.graph, f)();
  std::string inner = helpers(functions);
  std::string head = "// Emitted by Ricci: Eigen functions of the exported definitions.\n#pragma once\n#include <Eigen/Dense>\n#include <cmath>\n";
  if (functions.find("Eigen::Tensor") != functions.npos) head += "#include <unsupported/Eigen/CXX11/Tensor>\n";
  if (std::ranges::any_of(std::array{"a.exp()", "a.sin()", "a.cos()", "a.log()", "a.sqrt()"}, [&](const char* f) { return inner.find(f) != inner.npos; }))
    head += "#include <unsupported/Eigen/MatrixFunctions>\n";
  if (functions.find("kroneckerProduct") != functions.npos) head += "#include <unsupported/Eigen/KroneckerProduct>\n";
  if (inner.find("numext::") != inner.npos) head += "#include <unsupported/Eigen/SpecialFunctions>\n";
  return head + "\n" + inner + functions;
}

}  // namespace ricci
