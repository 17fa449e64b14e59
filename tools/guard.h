// What stands around a program's work: a large stack, a time limit, and an orderly end on Ctrl-C and on our own bugs.
#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ricci {

// Exit codes of all programs.
enum Exit : int { kSuccess = 0, kWrongInput = 1, kWrongCommandLine = 2, kOurBug = 70, kInterrupted = 130 };

// The command line is wrong; what() is the message.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The input is wrong, and the user has been told: there is nothing left to print.
struct InputError {};

// Something the language has, or will have, that this version does not do; what() says what.
struct NotSupported : std::runtime_error {
  explicit NotSupported(std::string_view what) : std::runtime_error(std::string(what) + " is not supported yet") {}
};

// The work outgrew a limit that the user set; what() says which.
struct TooLarge : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs `work` on a thread with a stack of 256 MiB (LLVM recurses over what it compiles) and returns its exit code. Exceptions become
// messages on stderr and exit codes: UsageError 2; FileError, InputError, NotSupported, TooLarge, OutsideAxis and a lack of memory 1;
// anything else, and a crash, 70 after writing a reproducer. SIGINT ends the process with 130, after removing an output file that is half written.
int run_guarded(const std::vector<std::string>& command_line, const std::function<int()>& work);

// What the reproducer will contain beside the command line.
void remember_input(std::string_view name, std::string_view text);

// Ends the process with a message and code 1 after so many seconds; 0 is no limit.
void limit_time(double seconds);

}  // namespace ricci
