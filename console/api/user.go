package api

import "context"

// User is who acts.
type User struct {
	Name string
	Role Role
	// From is the client's address.
	From string
}

type userKey struct{}

// WithUser returns ctx of a request by that user.
func WithUser(ctx context.Context, u User) context.Context {
	return context.WithValue(ctx, userKey{}, u)
}

// UserOf is whose request ctx belongs to; nobody, without a role, where it is
// none's.
func UserOf(ctx context.Context) User {
	u, _ := ctx.Value(userKey{}).(User)
	return u
}

// Includes says whether a user with role r may do what needed asks for.
func (r Role) Includes(needed Role) bool { return rank(needed) > 0 && rank(r) >= rank(needed) }

func rank(r Role) int {
	switch r {
	case Viewer:
		return 1
	case Operator:
		return 2
	case Admin:
		return 3
	}
	return 0
}
