// OpenSSL has code and tables of its own for some curves, 170 kB for P-256 alone, which do not get smaller by
// compression. An agent makes few connections: here all curves go by the code for any curve, as P-384 always does.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/opensslv.h>

#if OPENSSL_VERSION_MAJOR == 3 && OPENSSL_VERSION_MINOR == 0

#include <openssl/ec.h>

// What a curve's own code would have worked out beforehand is never made, so there is none to copy or to free.
#define BY_GENERAL_CODE(name) \
    const EC_METHOD *EC_GFp_##name##_method(void) { return EC_GFp_mont_method(); } \
    void *EC_##name##_pre_comp_dup(void *made) { return made; } \
    void EC_##name##_pre_comp_free(void *made) { (void)made; }

BY_GENERAL_CODE(nistz256)
BY_GENERAL_CODE(nistp224)
BY_GENERAL_CODE(nistp256)
BY_GENERAL_CODE(nistp521)

#endif
