// Exact rational coefficients. Every number a user writes (0.1, 1e-300, 2/3) is one of these.
#pragma once
#include <gmpxx.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ricci {

using Rational = mpq_class;

// "12", "0.5", "1e-3", "3/4" as an exact rational; nothing if the text is no number or its exponent exceeds 5,000 digits.
std::optional<Rational> parse_rational(std::string_view text);

// The shortest exact spelling: "3", "-2/3", "0.1" stays 1/10.
std::string to_string(const Rational& r);

bool is_integer(const Rational& r);

// The value as a small integer if it is one.
std::optional<long> as_long(const Rational& r);

size_t hash_value(const Rational& r);

// 3/2 as "1.5": the decimal form of a number that is not negative, if it has at most three digits behind the point; otherwise empty.
std::string short_decimal(const Rational& r);

}  // namespace ricci
