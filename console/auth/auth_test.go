package auth

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)} }

// TestMain makes hashes cheap: they cost seconds under the race detector.
func TestMain(m *testing.M) {
	if iterations != 600_000 {
		panic("new hashes are not as strong as they should be")
	}
	iterations = 1
	os.Exit(m.Run())
}

const password = "correct horse"

// cheap is a hash that costs tests little.
var cheap = func() string {
	h, err := hashWith(password, 1)
	if err != nil {
		panic(err)
	}
	return h
}()

func usersFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	rewriteFile(t, path, lines...)
	return path
}

func rewriteFile(t *testing.T, path string, lines ...string) {
	t.Helper()
	if err := replace(path, strings.Join(lines, "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, path string, c *clock) *Users {
	t.Helper()
	u, err := Load(path, WithClock(c.Now))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPassword(t *testing.T) {
	u := load(t, usersFile(t, "ann:operator:"+cheap, "ci:admin:"+tokenHash("x")), newClock())
	tests := []struct {
		name, user, password string
		want                 error
	}{
		{"right", "ann", password, nil},
		{"wrong password", "ann", password + "x", api.ErrUnauthenticated},
		{"no such user", "bob", password, api.ErrUnauthenticated},
		{"a token is no user", "ci", password, api.ErrUnauthenticated},
		{"empty", "", "", api.ErrUnauthenticated},
		{"endless password", "ann", strings.Repeat("x", 1<<20), api.ErrUnauthenticated},
	}
	for _, test := range tests {
		got, err := u.Password(t.Context(), test.user, test.password, test.name)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if err == nil && (got.Name != "ann" || got.Role != api.Operator || got.From != test.name) {
			t.Errorf("%s: %+v", test.name, got)
		}
		if err != nil && err.Error() != "authentication needed: user or password is wrong" {
			t.Errorf("%s: %q tells more than it should", test.name, err)
		}
	}
}

// TestUnknownUserCostsTheSame: the decoy is hashed as a new user's password is.
func TestUnknownUserCostsTheSame(t *testing.T) {
	hash, err := Hash(password)
	if err != nil {
		t.Fatal(err)
	}
	real, err1 := parseHash(hash)
	fake, err2 := parseHash(decoy())
	if err1 != nil || err2 != nil || real.iterations != fake.iterations || len(real.salt) != len(fake.salt) {
		t.Errorf("%+v and %+v (%v, %v) take different time", real, fake, err1, err2)
	}
	if !verify(hash, password) || verify(hash, "other") || verify(decoy(), password) {
		t.Error("the hash does not tell passwords apart")
	}
}

func TestTokens(t *testing.T) {
	c := newClock()
	path := usersFile(t, "ann:viewer:"+cheap)
	for name, expires := range map[string]time.Time{"ever": {}, "hour": c.Now().Add(time.Hour)} {
		token, err := AddToken(path, name, api.Operator, expires)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(content), token) {
			t.Errorf("the file has the token itself (%v)", err)
		}
		u := load(t, path, c)
		got, err := u.Token(token, "here")
		if err != nil || got != (api.User{Name: name, Role: api.Operator, From: "here"}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if _, err := u.Token(token+"x", "here"); !errors.Is(err, api.ErrUnauthenticated) {
			t.Errorf("a wrong token: %v", err)
		}
		c.add(time.Hour)
		if _, err := u.Token(token, "here"); (err == nil) != expires.IsZero() {
			t.Errorf("%s after an hour: %v", name, err)
		}
		c.add(-time.Hour)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ line, want string }{
		{"ann", "name:role:hash"},
		{"ann:viewer", "name:role:hash"},
		{":viewer:" + cheap, "no name"},
		{"a b:viewer:" + cheap, "no name"},
		{"ann:root:" + cheap, "no role"},
		{"ann:viewer:secret", "the hash"},
		{"ann:viewer:pbkdf2-sha256$999999999$AAAAAAAAAAA$AAAA", "iterations"},
		{"ann:viewer:pbkdf2-sha256$1$AAAAAAAAAAA$AAAA", "not whole"},
		{"ci:viewer:token-sha256$abc", "64 digits"},
		{"ci:viewer:" + tokenHash("x") + "$tomorrow", "no time"},
		{"ann:viewer:" + cheap + "\nann:admin:" + cheap, "twice"},
	}
	for _, test := range tests {
		path := usersFile(t, "ok:viewer:"+cheap, test.line)
		_, err := Load(path)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want one with %q", test.line, err, test.want)
		}
	}
}

func TestFileThatOthersReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o644: false, 0o660: false, 0o604: false} {
		path := usersFile(t, "ann:viewer:"+cheap)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); (err == nil) != ok {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestEmptyFileIsRefused(t *testing.T) {
	if _, err := Load(usersFile(t, "# nobody")); !errors.Is(err, ErrConfig) {
		t.Errorf("got %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, ErrConfig) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestEdits: comments stay, passwords change, kinds are not mixed up.
func TestEdits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	for _, add := range []func() error{
		func() error { return AddUser(path, "ann", api.Viewer, password) },
		func() error { return AddUser(path, "bob", api.Admin, password) },
		func() error { return AddUser(path, "ann", api.Operator, password+"2") },
	} {
		if err := add(); err != nil {
			t.Fatal(err)
		}
	}
	list, err := List(path)
	if err != nil || fmt.Sprint(list) != fmt.Sprint([]Listed{{"ann", api.Operator, "user", time.Time{}}, {"bob", api.Admin, "user", time.Time{}}}) {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := AddToken(path, "ann", api.Viewer, time.Time{}); err == nil {
		t.Error("a token took a user's line")
	}
	if err := Remove(path, "ann"); err != nil {
		t.Error(err)
	}
	if err := Remove(path, "ann"); !errors.Is(err, ErrConfig) {
		t.Errorf("removed twice: %v", err)
	}
	content, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(content), header) || strings.Contains(string(content), "ann") {
		t.Errorf("%s (%v)", content, err)
	}
	for name, err := range map[string]error{
		"short": AddUser(path, "eve", api.Admin, "short"),
		"role":  AddUser(path, "eve", "root", password),
		"name":  AddUser(path, "e:ve", api.Admin, password),
	} {
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestEditsAtOnceLoseNothing: one at a time, the others are told.
func TestEditsAtOnceLoseNothing(t *testing.T) {
	path := usersFile(t, "ann:viewer:"+cheap)
	var added sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			name := fmt.Sprint("token", i)
			if _, err := AddToken(path, name, api.Viewer, time.Time{}); err == nil {
				added.Store(name, true)
			} else if !strings.Contains(err.Error(), "somebody else edits") {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f, _, err := read(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	added.Range(func(name, _ any) bool {
		n++
		if _, ok := f.byName[name.(string)]; !ok {
			t.Errorf("%s is lost", name)
		}
		return true
	})
	if n == 0 || len(f.entries) != n+1 {
		t.Errorf("%d were added, the file has %d", n, len(f.entries)-1)
	}
}

func TestStaleLockIsTaken(t *testing.T) {
	path := usersFile(t, "ann:viewer:"+cheap)
	if err := os.WriteFile(path+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path, "ann"); err == nil {
		t.Error("a lock held by another was ignored")
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path+".lock", old, old); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path, "ann"); err != nil {
		t.Error(err)
	}
}
