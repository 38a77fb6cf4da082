package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
)

// Login is the body of a login.
type Login struct {
	User     string `json:"user"`
	Password string `json:"password"`
	// Next is where a form's answer leads to, a path of this console.
	Next string `json:"next,omitempty"`
}

const sessionCookie = "pabal_session"

// local is the user of a console without users: whoever sits at the machine.
var local = api.User{Name: "local", Role: api.Admin}

// user says who asks; nobody, without a role, is no error. A token that is not known
// is one, which wraps api.ErrUnauthenticated.
func (c *Console) user(r *http.Request) (api.User, error) {
	from := clientAddress(r)
	if c.users == nil {
		u := local
		u.From = from
		return u, nil
	}
	if header := r.Header.Get("Authorization"); header != "" {
		token, ok := strings.CutPrefix(header, "Bearer ")
		if !ok {
			return api.User{}, fmt.Errorf("%w: the Authorization header must be \"Bearer\" and a token", api.ErrUnauthenticated)
		}
		return c.users.Token(strings.TrimSpace(token), from)
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		if u, ok := c.sessions.User(cookie.Value, from); ok {
			return u, nil
		}
	}
	return api.User{From: from}, nil
}

// still says whether the user of a stream that goes on may still read, in the role it
// began with: masks go by it. It does not count as use of the session: a forgotten tab
// logs out.
func (c *Console) still(r *http.Request) bool {
	if c.users == nil {
		return true
	}
	role := api.UserOf(r.Context()).Role
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		u, err := c.users.Token(strings.TrimSpace(token), "")
		return err == nil && u.Role == role
	}
	cookie, err := r.Cookie(sessionCookie)
	return err == nil && c.sessions.Alive(cookie.Value, role)
}

func (c *Console) me(ctx context.Context) api.Me {
	u := api.UserOf(ctx)
	return api.Me{User: u.Name, Role: u.Role, Open: c.users == nil}
}

// login takes JSON from programs and forms from pages.
func (c *Console) login(w http.ResponseWriter, r *http.Request) error {
	form := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	l, err := readLogin(w, r, form)
	var user api.User
	if err == nil {
		user, err = c.begin(w, r, l)
	}
	switch {
	case form && err == nil:
		c.redirect(w, c.localPath(l.Next))
	case form && (errors.Is(err, api.ErrUnauthenticated) || errors.Is(err, api.ErrBusy)):
		q := url.Values{"failed": {"login"}, "next": {c.localPath(l.Next)}}
		if errors.Is(err, api.ErrBusy) {
			q.Set("failed", "busy")
		}
		c.redirect(w, c.base+"/login?"+q.Encode())
	case err != nil:
		return err
	default:
		return writeJSON(w, http.StatusOK, api.Me{User: user.Name, Role: user.Role})
	}
	return nil
}

func readLogin(w http.ResponseWriter, r *http.Request, form bool) (Login, error) {
	var l Login
	data, err := readBody(w, r)
	if err != nil {
		return l, err
	}
	if form {
		values, err := url.ParseQuery(string(data))
		if err != nil {
			return l, fmt.Errorf("%w: the form is not well written", api.ErrInvalid)
		}
		return Login{values.Get("user"), values.Get("password"), values.Get("next")}, nil
	}
	if err := checkMedia(r, "application/json"); err != nil {
		return l, err
	}
	return l, decodeJSON(data, &l)
}

// begin checks the password and sets the cookie of a new session.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, l Login) (api.User, error) {
	if c.users == nil {
		return api.User{}, fmt.Errorf("%w: this console has no users; nobody needs to log in", api.ErrConflict)
	}
	user, err := c.users.Password(r.Context(), l.User, l.Password, clientAddress(r))
	if err != nil {
		c.logger.Warn("login failed", "user", fmt.Sprintf("%.64q", l.User), "from", clientAddress(r), "error", err)
		return user, err
	}
	entry := api.AuditEntry{At: c.now(), User: user.Name, Role: user.Role, From: user.From, Act: "login", Target: user.Name, Outcome: "done"}
	if err := c.record(r.Context(), entry); err != nil { // he may still read, and see that the disk is full
		c.logger.Error("audit log: a login is not in it", "user", user.Name, "from", user.From, "error", err)
	}
	c.setCookie(w, r, c.sessions.Begin(user), int(auth.Absolute.Seconds()))
	return user, nil
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) error {
	if cookie, err := r.Cookie(sessionCookie); err == nil && c.users != nil {
		c.sessions.End(cookie.Value)
	}
	c.setCookie(w, r, "", -1)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		c.redirect(w, c.base+"/login")
		return nil
	}
	return writeJSON(w, http.StatusOK, none{})
}

func (c *Console) setCookie(w http.ResponseWriter, r *http.Request, secret string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: secret, Path: c.base + "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		// A proxy that ends TLS says so; who lies about it loses his own cookie.
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	})
}

func (c *Console) redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// localPath is a path of this console, its first page where next is none.
func (c *Console) localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, c.base+"/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return c.base + "/"
	}
	return next
}
