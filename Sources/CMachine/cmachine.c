// Swift cannot be in a child between vfork and exec, and the parts of glibc used here are not in its module map.
#define _GNU_SOURCE
#include "cmachine.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/// Closes all descriptors above the standard three; kernels before 5.9 lack the call, there `O_CLOEXEC` has to do.
static void close_others(void) {
#ifdef SYS_close_range
    syscall(SYS_close_range, 3u, ~0u, 0u);
#endif
}

/// Runs in the child, which borrows the parent's memory until it executes: only system calls, nothing allocated.
static int become(const struct machine_start *start, const sigset_t *mask, volatile int *in_folder) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &plain, NULL);
    setsid();
    // The sources may be among 0, 1, 2: move them out of the way first.
    int moved[3];
    for (int i = 0; i < 3; i++) {
        moved[i] = fcntl(start->descriptors[i], F_DUPFD_CLOEXEC, 3);
        if (moved[i] < 0) return errno;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(moved[i], i) < 0) return errno;
    close_others();
    if (start->folder && chdir(start->folder) < 0) {
        *in_folder = 1;
        return errno;
    }
    if (start->umask >= 0) umask((mode_t)start->umask);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execve(start->program, start->arguments, start->environment);
    return errno;
}

int machine_spawn(const struct machine_start *start, int *in_folder) {
    sigset_t all, before, none;
    volatile int failure = 0;
    volatile int failed_folder = 0;
    sigfillset(&all);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = vfork();
    if (child == 0) {
        failure = become(start, &none, &failed_folder);
        _exit(127);
    }
    int code = child < 0 ? errno : failure;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *in_folder = failed_folder;
    if (code == 0) return child;
    if (child > 0)
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    return -code;
}

int machine_pipe(int ends[2], int ours) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    if (fcntl(ends[ours], F_SETFL, O_NONBLOCK) < 0) {
        int code = errno;
        close(ends[0]);
        close(ends[1]);
        return -code;
    }
    return 0;
}

static struct timespec moment(const double *seconds) {
    struct timespec time = {.tv_sec = 0, .tv_nsec = UTIME_OMIT};
    if (!seconds) return time;
    double whole = floor(*seconds);
    time.tv_sec = (time_t)whole;
    long nanoseconds = (long)((*seconds - whole) * 1e9);
    time.tv_nsec = nanoseconds > 999999999 ? 999999999 : nanoseconds;
    return time;
}

int machine_set_times(const char *path, const double *access, const double *modification) {
    struct timespec times[2] = {moment(access), moment(modification)};
    while (utimensat(AT_FDCWD, path, times, 0) < 0)
        if (errno != EINTR) return -errno;
    return 0;
}

int machine_read_time(const char *text, const char *format, double *seconds) {
    struct tm parts = {.tm_mday = 1, .tm_year = 70, .tm_isdst = -1};
    const char *end = strptime(text, format, &parts);
    if (!end || *end) return 0;
    *seconds = (double)mktime(&parts);
    return 1;
}

void machine_copy_attributes(const char *from, int to) {
    char names[4096], value[4096];
    ssize_t length = llistxattr(from, names, sizeof names);
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
        ssize_t size = lgetxattr(from, names + at, value, sizeof value);
        if (size >= 0) (void)!fsetxattr(to, names + at, value, (size_t)size, 0);
    }
}

uint32_t machine_major(uint64_t device) { return gnu_dev_major(device); }
uint32_t machine_minor(uint64_t device) { return gnu_dev_minor(device); }
