package sasl

import "strings"

// plain is RFC 4616: one message of authorization id, user and password.
type plain struct {
	users *Users
	user  string
	done  bool
	over  bool
}

func (p *plain) Step(message []byte) ([]byte, error) {
	if p.over || len(message) > maxMessage {
		p.over = true
		return nil, ErrMessage
	}
	p.over = true
	parts := strings.Split(string(message), "\x00")
	if len(parts) != 3 || parts[1] == "" || len(parts[1]) > maxUser || parts[2] == "" {
		return nil, ErrMessage
	}
	as, user, password := parts[0], parts[1], parts[2]
	if !p.users.checkPlain(user, password) || as != "" && as != user {
		return nil, ErrFailed
	}
	p.user, p.done = user, true
	return []byte{}, nil
}

func (p *plain) User() (string, bool) { return p.user, p.done }

// checkPlain takes the credential of either SCRAM mechanism, and does the work
// of both whatever there is.
func (u *Users) checkPlain(user, password string) bool {
	fits := false
	for _, h := range []hashing{sha256Mechanism, sha512Mechanism} {
		c, known := u.find(h, user)
		if h.checkPassword(c, password) && known {
			fits = true
		}
	}
	return fits
}
