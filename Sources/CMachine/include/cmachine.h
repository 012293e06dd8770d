#pragma once
#include <stdint.h>
#include <sys/types.h>

/// How a program is started. Strings end with a zero byte, lists with a null pointer.
struct machine_start {
    /// The file to execute: no search in PATH.
    const char *program;
    char *const *arguments;
    char *const *environment;
    /// The folder to start in; null keeps ours.
    const char *folder;
    /// The mask for new files; negative keeps ours.
    int umask;
    /// Become standard input, output and error.
    int descriptors[3];
};

/// Starts a program in a session of its own, with default signals and no other descriptors.
/// Returns its process id, or a negated errno; `in_folder` is then 1 when it was the folder that could not be entered.
int machine_spawn(const struct machine_start *start, int *in_folder);

/// A pipe (reader, writer) whose ends no child inherits: 0, or a negated errno. The end `ours` (0 or 1) does not block.
int machine_pipe(int ends[2], int ours);

/// Sets the times of a file that are not null.
int machine_set_times(const char *path, const double *access, const double *modification);

/// Reads a local time written by `format` (as strptime has it): 1 and its seconds since 1970, or 0.
int machine_read_time(const char *text, const char *format, double *seconds);

/// Gives an open file the extended attributes (access lists among them) of a path, as far as this user may.
void machine_copy_attributes(const char *from, int to);

/// `makedev`'s parts.
uint32_t machine_major(uint64_t device);
uint32_t machine_minor(uint64_t device);
