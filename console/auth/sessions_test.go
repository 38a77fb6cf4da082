package auth

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// TestChangedFile: removing a user, or his new password, ends his sessions; a new role
// is his at once; a file that cannot be read changes nothing.
func TestChangedFile(t *testing.T) {
	other, err := hashWith(password, 2)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		lines []string
		alive bool
		role  api.Role
	}{
		{"same", []string{"ann:viewer:" + cheap}, true, api.Viewer},
		{"promoted", []string{"ann:admin:" + cheap}, true, api.Admin},
		{"removed", []string{"bob:admin:" + cheap}, false, ""},
		{"new password", []string{"ann:viewer:" + other}, false, ""},
		{"broken", []string{"rubbish"}, true, api.Viewer},
	}
	for _, test := range tests {
		c := newClock()
		path := usersFile(t, "ann:viewer:"+cheap)
		s := NewSessions(load(t, path, c))
		secret := s.Begin(api.User{Name: "ann"})
		rewriteFile(t, path, test.lines...)
		c.add(recheck)
		u, alive := s.User(secret, "")
		if alive != test.alive || u.Role != test.role {
			t.Errorf("%s: %v, %+v", test.name, alive, u)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	c := newClock()
	s := NewSessions(load(t, usersFile(t, "ann:viewer:"+cheap), c))
	secret := s.Begin(api.User{Name: "ann"})
	for range 12 { // used every hour but a second
		c.add(Idle - time.Second)
		if _, ok := s.User(secret, ""); !ok {
			t.Fatal("a session in use ended")
		}
	}
	c.add(time.Minute)
	if s.Alive(secret, api.Viewer) {
		t.Errorf("a session lives longer than %s", Absolute)
	}
	idle := s.Begin(api.User{Name: "ann"})
	c.add(Idle / 2)
	if !s.Alive(idle, api.Viewer) {
		t.Error("half an idle time ends a session")
	}
	c.add(Idle / 2)
	if _, ok := s.User(idle, ""); ok {
		t.Error("looking whether a session is alive kept it so")
	}
	out := s.Begin(api.User{Name: "ann"})
	s.End(out)
	if s.Alive(out, api.Viewer) || s.Alive("", api.Viewer) || s.Alive("rubbish", api.Viewer) {
		t.Error("a session that was ended is alive")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	c := newClock()
	s := NewSessions(load(t, usersFile(t, "ann:viewer:"+cheap), c))
	first := s.Begin(api.User{Name: "ann"})
	for range 3 * maxPerUser {
		c.add(time.Millisecond)
		s.Begin(api.User{Name: "ann"})
	}
	if len(s.byID) != maxPerUser || s.Alive(first, api.Viewer) {
		t.Errorf("%d sessions, at most %d are allowed", len(s.byID), maxPerUser)
	}
}

func TestSessionOfAnotherRoleIsNotAlive(t *testing.T) {
	s := NewSessions(load(t, usersFile(t, "ann:viewer:"+cheap), newClock()))
	secret := s.Begin(api.User{Name: "ann"})
	if !s.Alive(secret, api.Viewer) || s.Alive(secret, api.Admin) {
		t.Error("a stream that began in another role goes on")
	}
}
