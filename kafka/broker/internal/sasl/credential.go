package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
)

// hashing is one SCRAM mechanism, with Kafka's number.
type hashing struct {
	number int8
	new    func() hash.Hash
	size   int
}

var (
	sha256Mechanism = hashing{1, sha256.New, sha256.Size}
	sha512Mechanism = hashing{2, sha512.New, sha512.Size}
)

// The bounds of a credential are Kafka's: what clients and tools expect.
const (
	minIterations     = 4096
	maxIterations     = 16384
	defaultIterations = minIterations
	saltSize          = 24
	maxUser           = 255
	maxSalt           = 1024
)

func byNumber(mechanism int8) (hashing, bool) {
	switch mechanism {
	case sha256Mechanism.number:
		return sha256Mechanism, true
	case sha512Mechanism.number:
		return sha512Mechanism, true
	}
	return hashing{}, false
}

// salted is SaltedPassword of RFC 5802.
func (h hashing) salted(password string, salt []byte, iterations int) ([]byte, error) {
	key, err := pbkdf2.Key(h.new, password, salt, iterations, h.size)
	if err != nil {
		return nil, fmt.Errorf("salt a password: %w", err)
	}
	return key, nil
}

// credential is what is kept of a salted password.
func (h hashing) credential(salted, salt []byte, iterations int32) *Credential {
	return &Credential{
		Iterations: iterations, Salt: salt,
		StoredKey: h.sum(h.mac(salted, []byte("Client Key"))),
		ServerKey: h.mac(salted, []byte("Server Key")),
	}
}

func (h hashing) mac(key, message []byte) []byte {
	m := hmac.New(h.new, key)
	m.Write(message)
	return m.Sum(nil)
}

func (h hashing) sum(b []byte) []byte {
	s := h.new()
	s.Write(b)
	return s.Sum(nil)
}

// checkPassword says whether a password fits a credential.
func (h hashing) checkPassword(c *Credential, password string) bool {
	salted, err := h.salted(password, c.Salt, int(c.Iterations))
	if err != nil {
		return false
	}
	stored := h.sum(h.mac(salted, []byte("Client Key")))
	return subtle.ConstantTimeCompare(stored, c.StoredKey) == 1
}

// fake is the credential of a user that there is not: always the same for a
// name, as a real one is, and nobody knows its password. It looks like one that
// SetPassword makes.
func (h hashing) fake(secret []byte, user string) *Credential {
	salt := h.mac(secret, []byte("salt:"+user))
	for len(salt) < saltSize {
		salt = append(salt, h.sum(salt)...)
	}
	key := h.mac(secret, []byte("key:"+user))
	return &Credential{Iterations: defaultIterations, Salt: salt[:saltSize], StoredKey: key, ServerKey: key}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
