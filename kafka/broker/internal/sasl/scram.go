package sasl

import (
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
)

// scram is RFC 5802 without channel binding.
type scram struct {
	users *Users
	hash  hashing

	step       int // messages that came
	user       string
	known      bool
	credential *Credential
	header     string // of GSS-API, as the client sent it
	nonce      string // the client's with ours
	exchanged  string // client-first-message-bare and server-first-message
	done       bool
}

func (s *scram) Step(message []byte) ([]byte, error) {
	s.step++
	if len(message) > maxMessage {
		s.step = 3
	}
	switch s.step {
	case 1:
		answer, err := s.first(string(message))
		if err != nil {
			s.step = 3
		}
		return answer, err
	case 2:
		return s.final(string(message))
	}
	return nil, ErrMessage
}

func (s *scram) User() (string, bool) { return s.user, s.done }

// first answers the client's first message with salt and iterations.
func (s *scram) first(message string) ([]byte, error) {
	binding, rest, ok1 := strings.Cut(message, ",")
	as, bare, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 || binding != "n" && binding != "y" {
		return nil, ErrMessage
	}
	fields := strings.Split(bare, ",")
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "n=") || !strings.HasPrefix(fields[1], "r=") {
		return nil, ErrMessage // also where an extension is mandatory
	}
	user, ok := unescape(fields[0][2:])
	nonce := fields[1][2:]
	if !ok || user == "" || len(user) > maxUser || !printable(nonce) {
		return nil, ErrMessage
	}
	if as != "" {
		name, ok := unescape(strings.TrimPrefix(as, "a="))
		if !ok || !strings.HasPrefix(as, "a=") || name != user {
			return nil, ErrMessage
		}
	}
	s.user, s.header = user, binding+","+as+","
	s.credential, s.known = s.users.find(s.hash, user)
	s.nonce = nonce + s.users.nonce()
	answer := "r=" + s.nonce + ",s=" + base64.StdEncoding.EncodeToString(s.credential.Salt) +
		",i=" + strconv.Itoa(int(s.credential.Iterations))
	s.exchanged = bare + "," + answer
	return []byte(answer), nil
}

// final checks the client's proof and answers with the server's.
func (s *scram) final(message string) ([]byte, error) {
	at := strings.LastIndex(message, ",p=")
	if at < 0 {
		return nil, ErrMessage
	}
	unsigned := message[:at]
	proof, err := base64.StdEncoding.DecodeString(message[at+3:])
	fields := strings.Split(unsigned, ",")
	if err != nil || len(proof) != s.hash.size || len(fields) < 2 {
		return nil, ErrMessage
	}
	if fields[0] != "c="+base64.StdEncoding.EncodeToString([]byte(s.header)) || !hmac.Equal([]byte(fields[1]), []byte("r="+s.nonce)) {
		return nil, ErrMessage
	}
	signed := []byte(s.exchanged + "," + unsigned)
	signature := s.hash.mac(s.credential.StoredKey, signed)
	key := make([]byte, len(proof))
	subtle.XORBytes(key, proof, signature)
	fits := subtle.ConstantTimeCompare(s.hash.sum(key), s.credential.StoredKey) == 1
	if !fits || !s.known {
		return nil, ErrFailed
	}
	s.done = true
	return []byte("v=" + base64.StdEncoding.EncodeToString(s.hash.mac(s.credential.ServerKey, signed))), nil
}

// unescape reads a saslname: "=2C" is a comma and "=3D" an equals sign.
func unescape(name string) (string, bool) {
	rest := name
	for {
		_, after, found := strings.Cut(rest, "=")
		if !found {
			return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name), true
		}
		if !strings.HasPrefix(after, "2C") && !strings.HasPrefix(after, "3D") {
			return "", false
		}
		rest = after[2:]
	}
}

// printable says whether a nonce is what the RFC lets it be.
func printable(nonce string) bool {
	for i := range len(nonce) {
		if c := nonce[i]; c < 0x21 || c > 0x7e || c == ',' {
			return false
		}
	}
	return nonce != ""
}
