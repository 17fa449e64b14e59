#include "codegen/symbol_name.h"

#include <fmt/format.h>

#include <set>

#include "ir/loops.h"

namespace ricci {

static constexpr std::string_view kTaken =
    // keywords of C and C++, and macros that compilers define without asking
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class co_await co_return co_yield compl concept "
    "const const_cast consteval constexpr constinit continue decltype default delete do double dynamic_cast else enum explicit export extern false "
    "float for friend goto if inline int int64_t long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public "
    "register reinterpret_cast requires restrict return short signed size_t sizeof static static_assert static_cast std struct switch template this "
    "thread_local throw true try typedef typeid typename typeof union unsigned using virtual void volatile wchar_t while xor xor_eq linux unix i386 "
    "NULL EOF INFINITY NAN HUGE_VAL errno assert "
    // math.h beyond the primitives
    "abs ceil copysign drem exp10 exp2 fdim finite floor fma fmax fmin fmod frexp gamma ilogb isfinite isgreater isinf isless isnan isnormal j0 j1 jn "
    "ldexp llrint llround log10 log2 logb lrint lround modf nan nearbyint nextafter nexttoward remainder remquo rint round scalb scalbln scalbn "
    "signbit significand sincos sqrt fabs tgamma trunc y0 y1 yn "
    // stdlib.h, string.h, stdio.h, time.h, signal.h, unistd.h and their like: what a host program surely links
    "abort accept access alarm atexit atof atoi atol bcmp bcopy bind brk bsearch bzero calloc chdir chmod chown clearerr clock close connect ctime div "
    "dlopen dlsym dup execve exit fclose feof ferror fflush ffs fgetc fgets fileno fopen fork fprintf fputc fputs fread free freopen fscanf fseek "
    "fstat ftell fwrite getc getchar getenv getpid gets getuid gmtime index ioctl kill labs ldiv link listen localtime longjmp lseek main malloc "
    "memchr memcmp memcpy memmove memset mkdir mktime mmap munmap nice open pause perror pipe poll popen printf putc putchar putenv puts qsort "
    "raise rand random read realloc recv remove rename rewind rindex rmdir scanf select send setbuf setenv setjmp shutdown signal sleep socket "
    "sprintf srand sscanf stat strcat strchr strcmp strcpy strlen strncmp strncpy strstr strtod strtol swab sync syscall system tee time times "
    "tmpfile truncate ungetc unlink usleep vfork wait write";

static std::set<std::string, std::less<>> taken_names() {
  std::set<std::string, std::less<>> names;
  std::string_view rest = kTaken;
  while (!rest.empty()) {
    const size_t n = rest.find(' ');
    names.emplace(rest.substr(0, n));
    rest.remove_prefix(n == std::string_view::npos ? rest.size() : n + 1);
  }
  for (const loops::PrimitiveRow& row : loops::primitive_table())
    if (!row.libm.empty()) names.emplace(row.libm);
  for (const std::string& name : std::set<std::string, std::less<>>(names)) names.insert(name + "f"), names.insert(name + "l");
  return names;
}

std::string symbol_name(std::string_view name) {
  static const std::set<std::string, std::less<>> taken = taken_names();
  std::string spelled;
  bool plain = !name.empty() && name[0] != '_' && !(name[0] >= '0' && name[0] <= '9') && !name.starts_with("ricci_") && !taken.contains(name) &&
               name.find("__") == std::string_view::npos;
  for (const char c : name) {
    const bool word = c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    spelled += word ? std::string(1, c) : fmt::format("x{:02x}", static_cast<unsigned char>(c));
    plain &= word;
  }
  return plain ? spelled : "ricci_fn_" + spelled;
}

}  // namespace ricci
