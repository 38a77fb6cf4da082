package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// A session ends after Idle without a request, and after Absolute in any case.
const (
	Idle     = time.Hour
	Absolute = 12 * time.Hour
	// maxSessions are kept; the one idle for longest goes first. A user has at most
	// maxPerUser.
	maxSessions = 10_000
	maxPerUser  = 20
)

// Sessions are those of browsers, in memory.
type Sessions struct {
	users *Users
	mu    sync.Mutex
	byID  map[sessionID]*session
}

// sessionID is the hash of what the cookie has, so that memory gives no session away.
type sessionID [sha256.Size]byte

type session struct {
	name        string
	hash        string // of the password at login
	begun, used time.Time
}

// NewSessions has no session yet.
func NewSessions(users *Users) *Sessions {
	return &Sessions{users: users, byID: map[sessionID]*session{}}
}

// Begin returns the secret of a new session, for the cookie.
func (s *Sessions) Begin(user api.User) string {
	secret := make([]byte, 32)
	rand.Read(secret)
	text := base64.RawURLEncoding.EncodeToString(secret)
	_, hash, _ := s.users.lookup(user.Name)
	now := s.users.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(user.Name, now)
	s.byID[sha256.Sum256([]byte(text))] = &session{user.Name, hash, now, now}
	return text
}

// User is whose session it is; false where it ended, or where the user is gone or has
// another password since. The role is the present one.
func (s *Sessions) User(secret, from string) (api.User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, role := s.find(secret)
	if found == nil {
		return api.User{}, false
	}
	found.used = s.users.clock()
	return api.User{Name: found.name, Role: role, From: from}, true
}

// Alive says whether the session goes on and its user still has that role. It does not
// use the session: its idle time goes on.
func (s *Sessions) Alive(secret string, role api.Role) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, present := s.find(secret)
	return found != nil && present == role
}

// find is nil for a session that is not there or has ended.
func (s *Sessions) find(secret string) (*session, api.Role) {
	id := sessionID(sha256.Sum256([]byte(secret)))
	found, ok := s.byID[id]
	if !ok {
		return nil, ""
	}
	role, hash, known := s.users.lookup(found.name)
	if found.ended(s.users.clock()) || !known || hash != found.hash {
		delete(s.byID, id)
		return nil, ""
	}
	return found, role
}

// End ends a session.
func (s *Sessions) End(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, sha256.Sum256([]byte(secret)))
}

func (e *session) ended(now time.Time) bool {
	return now.Sub(e.used) >= Idle || now.Sub(e.begun) >= Absolute
}

// makeRoom takes out what ended, and the one idle for longest where there are too
// many, of that user or in all.
func (s *Sessions) makeRoom(user string, now time.Time) {
	for id, e := range s.byID {
		if e.ended(now) {
			delete(s.byID, id)
		}
	}
	s.evict(maxPerUser, func(e *session) bool { return e.name == user })
	s.evict(maxSessions, func(*session) bool { return true })
}

// evict keeps one less than most of those that count.
func (s *Sessions) evict(most int, counts func(*session) bool) {
	n, idlest := 0, sessionID{}
	for id, e := range s.byID {
		if !counts(e) {
			continue
		}
		n++
		if old, ok := s.byID[idlest]; !ok || e.used.Before(old.used) {
			idlest = id
		}
	}
	if n >= most {
		delete(s.byID, idlest)
	}
}
