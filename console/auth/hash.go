package auth

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A password's hash is "pbkdf2-sha256$iterations$salt$key", base64 without padding;
// a token's "token-sha256$hex", because 256 random bits need no slow hash.
const (
	passwordKind = "pbkdf2-sha256"
	tokenKind    = "token-sha256"
	// maxIterations keeps a line of the file from taking a core for minutes.
	maxIterations = 10_000_000
	keyBytes      = 32
	// tokenPrefix lets secret scanners find tokens.
	tokenPrefix = "pabal_"
)

// iterations of new hashes, as OWASP advises for PBKDF2 with SHA-256. Tests take fewer.
var iterations = 600_000

// decoy costs as much as a user's hash; no password has it.
func decoy() string {
	return fmt.Sprintf("%s$%d$%s$%s", passwordKind, iterations, encode(make([]byte, 16)), encode(make([]byte, keyBytes)))
}

// Passwords have at least MinPassword bytes and at most MaxPassword.
const (
	MinPassword = 8
	MaxPassword = 1024
)

// Hash is what the users file has for a password.
func Hash(password string) (string, error) {
	if len(password) < MinPassword || len(password) > MaxPassword {
		return "", fmt.Errorf("%w: a password has %d to %d bytes, this one %d", ErrConfig, MinPassword, MaxPassword, len(password))
	}
	return hashWith(password, iterations)
}

func hashWith(password string, iterations int) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	key, err := pbkdf2.Key(sha256.New, password, salt, iterations, keyBytes)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return fmt.Sprintf("%s$%d$%s$%s", passwordKind, iterations, encode(salt), encode(key)), nil
}

// verify says whether the password has that hash.
func verify(hash, password string) bool {
	p, err := parseHash(hash)
	if err != nil || len(password) > MaxPassword {
		return false
	}
	key, err := pbkdf2.Key(sha256.New, password, p.salt, p.iterations, len(p.key))
	return err == nil && subtle.ConstantTimeCompare(key, p.key) == 1
}

type passwordHash struct {
	iterations int
	salt, key  []byte
}

func parseHash(hash string) (passwordHash, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 4 || parts[0] != passwordKind {
		return passwordHash{}, errors.New("is not pbkdf2-sha256$iterations$salt$key")
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 1 || n > maxIterations {
		return passwordHash{}, fmt.Errorf("has %q iterations, 1 to %d are allowed", parts[1], maxIterations)
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[2])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[3])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(key) != keyBytes {
		return passwordHash{}, errors.New("has a salt or key that is not whole")
	}
	return passwordHash{n, salt, key}, nil
}

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// newToken is a fresh bearer token.
func newToken() string {
	secret := make([]byte, 32)
	rand.Read(secret)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return tokenKind + "$" + hex.EncodeToString(sum[:])
}
