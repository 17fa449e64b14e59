// The table of commands.
#include "tools/ricci/command.h"

namespace ricci::driver {
namespace {

constexpr Command kCommands[] = {
    {"diff", "differentiate an expression or a definition", "ricci diff \"x'*A*x\" --wrt x",
     kInput | kDerivative | kConvention | kAnswer | kEmit | kPoints | kCertificate | kPasses, diff},
    {"simplify", "carry out the derivatives in an expression and shorten it", "ricci simplify \"d(inv(X), X)[H]\"",
     kInput | kAnswer | kEmit | kPasses, simplify_command},
    {"compile", "emit code or formulas for a program's functions", "ricci compile loss.ricci --emit eigen -o loss.hpp",
     kInput | kEmit | kCode | kPasses, compile},
    {"run", "compile a function and call it on data", "ricci run loss.ricci --fn loss --in X=x.npy --in y=y.csv --random w",
     kInput | kCode | kData | kPasses, run},
    {"check", "compare a program's derivatives with an independent oracle", "ricci check loss.ricci", kInput | kPoints | kPasses, check},
    {"verify", "test a claimed derivative or identity", "ricci verify \"d/dx x'*A*x = (A + A')*x\"", kInput | kConvention | kPoints | kPasses, verify},
    {"convexity", "prove a function convex or concave, or show that it is neither", "ricci convexity \"norm2(A*x - b)^2\" --wrt x",
     kInput | kVariables | kPoints, convexity_command},
    {"cost", "count operations, bytes and arrays", "ricci cost loss.ricci --dim n=1000", kInput | kCode, cost},
    {"bench", "time a function against the machine's limits", "ricci bench loss.ricci --dim m=10000", kInput | kCode | kData | kPasses, bench},
    {"explain", "show a derivation step by step", "ricci explain \"x'*A*x\" --wrt x", kInput | kDerivative | kConvention | kEmit, explain},
    {"serve", "serve a local page", "ricci serve", 0, nullptr},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace ricci::driver
