#include <libssh2.h>
/* What the loops that drive libssh2 wait with; Swift's Glibc module does not have it. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
