// Loop programs as text, shared by the tests of the loop IR and of the back ends. Each prints exactly as it stands here.
#pragma once
#include <string_view>

namespace ricci::loops {

struct NamedProgram {
  std::string_view name, text;
};

inline constexpr NamedProgram kPrograms[] = {
    {"dot", R"(program dot double
dims n
in x [n] by [1]
in y [n] by [1]
out f [] by []
work 0
begin
  if f {
    %0 = const 0
    acc @0 = %0
    for $0 < n width 8 interleave 4 {
      %1 = load x[$0]
      %2 = load y[$0]
      @0 += %1 * %2
    }
    %3 = read @0
    store f[] = %3
  }
end
)"},
    {"axpy", R"(program axpy double
dims n
in x [n] by [1]
in y [n] by [1]
in a [] by []
out z [n] by [1]
work 0
begin
  if z {
    %0 = load a[]
    for $0 < n width 8 interleave 4 {
      %1 = load x[$0]
      %2 = load y[$0]
      %3 = muladd(%0, %1, %2)
      store z[$0] = %3
    }
  }
end
)"},
    {"exp", R"(program exponential double
dims n
in x [n] by [1]
out y [n] by [1]
work 0
begin
  if y {
    for $0 < n width 8 {
      %0 = load x[$0]
      %1 = exp(%0)
      store y[$0] = %1
    }
  }
end
)"},
    // Row by row: the inner loop is the vector loop.
    {"gemv", R"(program gemv double
dims m, n
in A [m, n] by [n, 1]
in x [n] by [1]
out y [m] by [1]
work 0
begin
  if y {
    for $0 < m parallel {
      %0 = const 0
      acc @0 = %0
      for $1 < n width 8 interleave 2 {
        %1 = load A[$0, $1]
        %2 = load x[$1]
        @0 += %1 * %2
      }
      %3 = read @0
      store y[$0] = %3
    }
  }
end
)"},
    // The outer loop is the vector loop: the rows are lanes, A is read with stride n.
    {"gemv_rows", R"(program gemv_rows double
dims m, n
in A [m, n] by [n, 1]
in x [n] by [1]
out y [m] by [1]
work 0
begin
  if y {
    for $0 < m width 8 {
      %0 = const 0
      acc @0 = %0
      for $1 < n {
        %1 = load A[$0, $1]
        %2 = load x[$1]
        @0 += %1 * %2
      }
      %3 = read @0
      store y[$0] = %3
    }
  }
end
)"},
    // Two rows of C at a time in registers; B is column-major and read as lanes with stride k.
    {"gemm", R"(program gemm double
dims m, n, k
in A [2*m, k] by [k, 1]
in B [k, n] by [1, k]
out C [2*m, n] by [n, 1]
work 0
begin
  if C {
    for $0 < m {
      for $1 < n width 4 {
        %0 = const 0
        acc @0 = %0
        acc @1 = %0
        for $2 < k {
          %1 = load A[2*$0, $2]
          %2 = load A[2*$0 + 1, $2]
          %3 = load B[$2, $1]
          @0 += %1 * %3
          @1 += %2 * %3
        }
        %4 = read @0
        %5 = read @1
        store C[2*$0, $1] = %4
        store C[2*$0 + 1, $1] = %5
      }
    }
  }
end
)"},
    // Every combination, over a workspace; sums over the upper triangle; integers as numbers.
    {"reductions", R"(program reductions double
dims n
in x [n] by [1]
out s [4] by [1]
out t [] by []
scratch w [n] by [1] at 0
work n
begin
  %0 = const 0
  %1 = const 1
  %2 = const 0.5
  %3 = const inf
  %4 = neg(%3)
  for $0 < n width 8 {
    %5 = load x[$0]
    %6 = mul(%5, %2)
    store w[$0] = %6
  }
  if s {
    acc @0 = %0
    acc @1 = %1
    acc @2 = %4
    acc @3 = %3
    for $1 < n width 8 interleave 3 {
      %7 = load w[$1]
      @0 += %7
      @1 *= %7
      @2 max= %7
      @3 min= %7
    }
    %8 = read @0
    %9 = read @1
    %10 = read @2
    %11 = read @3
    store s[0] = %8
    store s[1] = %9
    store s[2] = %10
    store s[3] = %11
  }
  if t {
    zero t
    for $2 < n {
      acc @4 = %0
      for $3 < n + -1*$2 width 4 {
        %12 = load x[$2 + $3]
        %13 = number 2*$3 + 1
        %14 = compare $3 == 0
        %15 = compare 1 < $3
        %16 = select(%14, %13, %15)
        @4 += %12 * %16
      }
      %17 = read @4
      update t[] += %17
    }
  }
end
)"},
    // A vector loop with an if inside, updates of memory, a copy and an inner loop whose sum leaves the vector loop.
    {"blocks", R"(program blocks float
dims n, m
in X [n, m] by [m, 1]
out Y [n, m] by [m, 1]
out total [] by []
scratch W [n, m] by [m, 1] at 16*ceil_div(m, 16)
work n*m + 16*ceil_div(m, 16)
begin
  copy W = X
  %0 = const 1.5
  acc @0 = %0
  for $0 < n width 8 {
    for $1 < m {
      %1 = load X[$0, $1]
      @0 += %1 * %1
      update W[$0, $1] max= %0
      if Y {
        update W[$0, $1] += %1 * %0
        %2 = load W[$0, $1]
        store Y[$0, $1] = %2
      }
    }
  }
  if total {
    %3 = read @0
    store total[] = %3
  }
end
)"},
    {"kernel", R"(program kernel double
dims n
in A [n, n] by [n, 1]
in B [n, n] by [n, 1]
out C [n, n] by [n, 1]
out d [] by []
scratch w [n*n + n + 163840] by [1] at 0
work n*n + n + 163840
begin
  if C {
    %0 = const 1
    %1 = const 0
    call gemm(n, n, n, %0, A[0, 0], n, 1, B[0, 0], 1, n, %1, C[0, 0], n, 1, w[0])
  }
  if d {
    call logdet(n, A[0, 0], n, 1, d[], w[0])
  }
end
)"},
};

constexpr std::string_view find_program(std::string_view name) {
  for (const NamedProgram& p : kPrograms)
    if (p.name == name) return p.text;
  return {};
}

}  // namespace ricci::loops
