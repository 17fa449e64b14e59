#include "ir/rational.h"

#include <cctype>

#include "ir/superscript.h"

namespace ricci {
namespace {

constexpr long kMaxExponent = 5000;  // digits a written number may expand to

bool digits(std::string_view s) {
  for (char c : s)
    if (!std::isdigit(static_cast<unsigned char>(c))) return false;
  return true;
}

}  // namespace

std::optional<Rational> parse_rational(std::string_view text) {
  if (const size_t high = superscript_length(text); high > 0 && high == text.size()) return parse_rational(lowered(text));
  std::string_view sign;
  if (!text.empty() && text[0] == '-') sign = "-", text.remove_prefix(1);
  if (size_t slash = text.find('/'); slash != std::string_view::npos) {
    std::string_view num = text.substr(0, slash), den = text.substr(slash + 1);
    if (num.empty() || den.empty() || !digits(num) || !digits(den)) return std::nullopt;
    Rational r;
    r.get_num() = mpz_class(std::string(num), 10);
    r.get_den() = mpz_class(std::string(den), 10);
    if (r.get_den() == 0) return std::nullopt;
    r.canonicalize();
    return sign.empty() ? r : Rational(-r);
  }
  long exponent = 0;
  if (size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view x = text.substr(e + 1);
    bool negative = !x.empty() && x[0] == '-';
    if (!x.empty() && (x[0] == '-' || x[0] == '+')) x.remove_prefix(1);
    if (x.empty() || x.size() > 5 || !digits(x)) return std::nullopt;
    exponent = std::stol(std::string(x)) * (negative ? -1 : 1);
    text = text.substr(0, e);
  }
  size_t point = text.find('.');
  std::string whole(text.substr(0, point)), fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!digits(whole) || !digits(fraction)) return std::nullopt;
  exponent -= long(fraction.size());
  if (exponent > kMaxExponent || exponent < -kMaxExponent || whole.size() > size_t(kMaxExponent)) return std::nullopt;
  mpz_class power;
  mpz_ui_pow_ui(power.get_mpz_t(), 10, static_cast<unsigned long>(exponent < 0 ? -exponent : exponent));
  Rational r(mpz_class(whole + fraction, 10));
  if (exponent < 0) r /= power;
  else r *= power;
  return sign.empty() ? r : Rational(-r);
}

std::string to_string(const Rational& r) { return r.get_str(); }

std::string short_decimal(const Rational& r) {
  constexpr long kThousand = 1000;
  const Rational thousands = r * kThousand;
  if (r < 0 || !is_integer(thousands)) return "";
  if (is_integer(r)) return r.get_str();
  const mpz_class whole = r.get_num() / r.get_den(), rest = thousands.get_num() - kThousand * whole;
  std::string digits = mpz_class(rest + kThousand).get_str().substr(1);
  return whole.get_str() + "." + digits.substr(0, digits.find_last_not_of('0') + 1);
}

bool is_integer(const Rational& r) { return r.get_den() == 1; }

std::optional<long> as_long(const Rational& r) {
  if (!is_integer(r) || !r.get_num().fits_slong_p()) return std::nullopt;
  return r.get_num().get_si();
}

size_t hash_value(const Rational& r) {
  size_t h = 0x9e3779b97f4a7c15ull;
  for (const mpz_class* z : {&r.get_num(), &r.get_den()})
    for (size_t k = 0, n = mpz_size(z->get_mpz_t()); k < n; ++k) h = (h ^ mpz_getlimbn(z->get_mpz_t(), mp_size_t(k))) * 0x100000001b3ull;
  return sgn(r) < 0 ? ~h : h;
}

}  // namespace ricci
