// OpenSSL's default provider for the agent: what it offers, less what nothing here asks for.
//
// OpenSSL's own table names every algorithm that it has, and a static program that uses one of them holds all. This is
// the same function under the same name, which the linker finds before OpenSSL's. It offers what TLS 1.2 and 1.3 with
// usual servers, their certificates, private keys in PEM, the vault and signatures of bundles need. If an object of
// OpenSSL is needed for something else that it defines, or a table has another name, linking ends with an error.
// What is used here and is in none of OpenSSL's headers is that of 3.0; with another version its own table is used.
#include <openssl/opensslv.h>

#if OPENSSL_VERSION_MAJOR == 3 && OPENSSL_VERSION_MINOR == 0

#include <openssl/bio.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

typedef struct prov_ctx_st PROV_CTX;
PROV_CTX *ossl_prov_ctx_new(void);
void ossl_prov_ctx_free(PROV_CTX *context);
void ossl_prov_ctx_set0_libctx(PROV_CTX *context, OSSL_LIB_CTX *library);
void ossl_prov_ctx_set0_handle(PROV_CTX *context, const OSSL_CORE_HANDLE *handle);
void ossl_prov_ctx_set0_core_bio_method(PROV_CTX *context, BIO_METHOD *method);
BIO_METHOD *ossl_prov_ctx_get0_core_bio_method(PROV_CTX *context);
BIO_METHOD *ossl_bio_prov_init_bio_method(void);
int ossl_prov_bio_from_dispatch(const OSSL_DISPATCH *functions);
int ossl_prov_seeding_from_dispatch(const OSSL_DISPATCH *functions);
int ossl_prov_get_capabilities(void *context, const char *name, OSSL_CALLBACK *each, void *argument);

#define PROPERTIES "provider=default"
#define TABLE(name) extern const OSSL_DISPATCH ossl_##name##_functions[];
#define ROW(names, name) {names, PROPERTIES, ossl_##name##_functions, NULL},
#define DECODER(names, form, name) \
    {names, PROPERTIES ",fips=yes,input=" form, ossl_##name##_decoder_functions, NULL},
#define DECODER_TABLE(name) extern const OSSL_DISPATCH ossl_##name##_decoder_functions[];
#define END {NULL, NULL, NULL, NULL}

// Names with their object identifiers, as keys and certificates say them.
#define DIGESTS(X) \
    X("SHA1:SHA-1:SSL3-SHA1:1.3.14.3.2.26", sha1) \
    X("SHA2-224:SHA-224:SHA224:2.16.840.1.101.3.4.2.4", sha224) \
    X("SHA2-256:SHA-256:SHA256:2.16.840.1.101.3.4.2.1", sha256) \
    X("SHA2-384:SHA-384:SHA384:2.16.840.1.101.3.4.2.2", sha384) \
    X("SHA2-512:SHA-512:SHA512:2.16.840.1.101.3.4.2.3", sha512) \
    X("MD5:SSL3-MD5:1.2.840.113549.2.5", md5) \
    X("MD5-SHA1", md5_sha1)
#define CIPHERS(X) \
    X("AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46", aes256gcm) \
    X("AES-192-GCM:id-aes192-GCM:2.16.840.1.101.3.4.1.26", aes192gcm) \
    X("AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6", aes128gcm) \
    X("AES-256-CCM:id-aes256-CCM:2.16.840.1.101.3.4.1.47", aes256ccm) \
    X("AES-128-CCM:id-aes128-CCM:2.16.840.1.101.3.4.1.7", aes128ccm) \
    X("AES-256-CBC:AES256:2.16.840.1.101.3.4.1.42", aes256cbc) \
    X("AES-192-CBC:AES192:2.16.840.1.101.3.4.1.22", aes192cbc) \
    X("AES-128-CBC:AES128:2.16.840.1.101.3.4.1.2", aes128cbc) \
    X("AES-256-CTR", aes256ctr) \
    X("AES-256-ECB:2.16.840.1.101.3.4.1.41", aes256ecb) \
    X("ChaCha20-Poly1305", chacha20_ossl_poly1305) \
    X("DES-EDE3-CBC:DES3:1.2.840.113549.3.7", tdes_ede3_cbc) \
    X("NULL", null)
#define MACS(X) X("HMAC", hmac)
#define DERIVATIONS(X) \
    X("HKDF", kdf_hkdf) \
    X("TLS13-KDF", kdf_tls1_3_kdf) \
    X("TLS1-PRF", kdf_tls1_prf) \
    X("PBKDF2:1.2.840.113549.1.5.12", kdf_pbkdf2) \
    X("PKCS12KDF", kdf_pkcs12)
#define RANDOM(X) \
    X("CTR-DRBG", drbg_ctr) \
    X("SEED-SRC", seed_src)
#define EXCHANGES(X) \
    X("DH:dhKeyAgreement:1.2.840.113549.1.3.1", dh_keyexch) \
    X("ECDH", ecdh_keyexch) \
    X("X25519:1.3.101.110", x25519_keyexch) \
    X("X448:1.3.101.111", x448_keyexch)
#define SIGNATURES(X) \
    X("RSA:rsaEncryption:1.2.840.113549.1.1.1", rsa_signature) \
    X("ED25519:1.3.101.112", ed25519_signature) \
    X("ECDSA", ecdsa_signature) \
    X("HMAC", mac_legacy_hmac_signature)
#define ASYMMETRIC(X) X("RSA:rsaEncryption:1.2.840.113549.1.1.1", rsa_asym_cipher)
#define KEYS(X) \
    X("DH:dhKeyAgreement:1.2.840.113549.1.3.1", dh_keymgmt) \
    X("RSA:rsaEncryption:1.2.840.113549.1.1.1", rsa_keymgmt) \
    X("RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", rsapss_keymgmt) \
    X("EC:id-ecPublicKey:1.2.840.10045.2.1", ec_keymgmt) \
    X("X25519:1.3.101.110", x25519_keymgmt) \
    X("X448:1.3.101.111", x448_keymgmt) \
    X("ED25519:1.3.101.112", ed25519_keymgmt) \
    X("HMAC", mac_legacy_keymgmt)
#define INFO(X, names, name) \
    X(names, "der,structure=PrivateKeyInfo", PrivateKeyInfo_der_to_##name) \
    X(names, "der,structure=SubjectPublicKeyInfo", SubjectPublicKeyInfo_der_to_##name)
#define DECODERS(X) \
    INFO(X, "RSA:rsaEncryption:1.2.840.113549.1.1.1", rsa) \
    INFO(X, "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", rsapss) \
    INFO(X, "EC:id-ecPublicKey:1.2.840.10045.2.1", ec) \
    INFO(X, "X25519:1.3.101.110", x25519) \
    INFO(X, "ED25519:1.3.101.112", ed25519) \
    X("RSA:rsaEncryption:1.2.840.113549.1.1.1", "der,structure=type-specific", type_specific_keypair_der_to_rsa) \
    X("RSA:rsaEncryption:1.2.840.113549.1.1.1", "der,structure=rsa", RSA_der_to_rsa) \
    X("EC:id-ecPublicKey:1.2.840.10045.2.1", "der,structure=type-specific", type_specific_no_pub_der_to_ec) \
    X("EC:id-ecPublicKey:1.2.840.10045.2.1", "der,structure=ec", EC_der_to_ec) \
    X("DER", "pem", pem_to_der) \
    X("DER", "der,structure=EncryptedPrivateKeyInfo", EncryptedPrivateKeyInfo_der_to_der) \
    X("DER", "der,structure=SubjectPublicKeyInfo", SubjectPublicKeyInfo_der_to_der)

#define DECLARE(names, name) TABLE(name)
#define DECLARE_DECODER(names, form, name) DECODER_TABLE(name)
DIGESTS(DECLARE) CIPHERS(DECLARE) MACS(DECLARE) DERIVATIONS(DECLARE) RANDOM(DECLARE) EXCHANGES(DECLARE)
SIGNATURES(DECLARE) ASYMMETRIC(DECLARE) KEYS(DECLARE) DECODERS(DECLARE_DECODER)

static const OSSL_ALGORITHM digests[] = {DIGESTS(ROW) END};
static const OSSL_ALGORITHM ciphers[] = {CIPHERS(ROW) END};
static const OSSL_ALGORITHM macs[] = {MACS(ROW) END};
static const OSSL_ALGORITHM derivations[] = {DERIVATIONS(ROW) END};
static const OSSL_ALGORITHM randoms[] = {RANDOM(ROW) END};
static const OSSL_ALGORITHM exchanges[] = {EXCHANGES(ROW) END};
static const OSSL_ALGORITHM signatures[] = {SIGNATURES(ROW) END};
static const OSSL_ALGORITHM asymmetric[] = {ASYMMETRIC(ROW) END};
static const OSSL_ALGORITHM keys[] = {KEYS(ROW) END};
static const OSSL_ALGORITHM decoders[] = {DECODERS(DECODER) END};

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache) {
    (void)context;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_DIGEST: return digests;
    case OSSL_OP_CIPHER: return ciphers;
    case OSSL_OP_MAC: return macs;
    case OSSL_OP_KDF: return derivations;
    case OSSL_OP_RAND: return randoms;
    case OSSL_OP_KEYEXCH: return exchanges;
    case OSSL_OP_SIGNATURE: return signatures;
    case OSSL_OP_ASYM_CIPHER: return asymmetric;
    case OSSL_OP_KEYMGMT: return keys;
    case OSSL_OP_DECODER: return decoders;
    default: return NULL;
    }
}

static void tear_down(void *context) {
    BIO_meth_free(ossl_prov_ctx_get0_core_bio_method(context));
    ossl_prov_ctx_free(context);
}

int ossl_default_provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *offered, const OSSL_DISPATCH **wanted, void **context) {
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))tear_down},
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))ossl_prov_get_capabilities},
        {0, NULL}};
    OSSL_FUNC_core_get_libctx_fn *library = NULL;
    if (!ossl_prov_bio_from_dispatch(offered) || !ossl_prov_seeding_from_dispatch(offered)) return 0;
    for (const OSSL_DISPATCH *each = offered; each->function_id != 0; each++)
        if (each->function_id == OSSL_FUNC_CORE_GET_LIBCTX) library = OSSL_FUNC_core_get_libctx(each);
    PROV_CTX *made = library ? ossl_prov_ctx_new() : NULL;
    BIO_METHOD *method = made ? ossl_bio_prov_init_bio_method() : NULL;
    if (!method) {
        ossl_prov_ctx_free(made);
        return 0;
    }
    ossl_prov_ctx_set0_libctx(made, (OSSL_LIB_CTX *)library(handle));
    ossl_prov_ctx_set0_handle(made, handle);
    ossl_prov_ctx_set0_core_bio_method(made, method);
    *context = made;
    *wanted = functions;
    return 1;
}

// The provider that has only forms of keys is never asked for.
int ossl_base_provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *offered, const OSSL_DISPATCH **wanted, void **context) {
    (void)handle, (void)offered, (void)wanted, (void)context;
    return 0;
}

// Ciphers and digests by the names that old PEM files and certificates say.
void openssl_add_all_ciphers_int(void) {
    EVP_add_cipher(EVP_des_ede3_cbc());
    EVP_add_cipher(EVP_aes_128_cbc());
    EVP_add_cipher(EVP_aes_192_cbc());
    EVP_add_cipher(EVP_aes_256_cbc());
    EVP_add_cipher(EVP_aes_128_gcm());
    EVP_add_cipher(EVP_aes_256_gcm());
    EVP_add_cipher(EVP_chacha20_poly1305());
}

void openssl_add_all_digests_int(void) {
    EVP_add_digest(EVP_md5());
    EVP_add_digest(EVP_sha1());
    EVP_add_digest(EVP_sha224());
    EVP_add_digest(EVP_sha256());
    EVP_add_digest(EVP_sha384());
    EVP_add_digest(EVP_sha512());
}

// Neither hardware of VIA nor the kernel's ciphers by a socket.
void engine_load_padlock_int(void) {}
void engine_load_afalg_int(void) {}

#endif
