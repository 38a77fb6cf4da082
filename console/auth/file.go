package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// maxFile bounds the users file, in bytes.
const maxFile = 1 << 20

// header explains the file to who opens it.
const header = `# Users and tokens of the Pabal console: name:role:hash, one a line.
# Roles are viewer, operator, admin. Change it with "pabal user"; a running console
# reads it again.
`

// entry is a line: a user or a token.
type entry struct {
	name string
	role api.Role
	hash string
	// expires is a token's; zero for never.
	expires time.Time
}

func (e entry) token() bool { return strings.HasPrefix(e.hash, tokenKind) }

func (e entry) line() string {
	if e.expires.IsZero() {
		return fmt.Sprintf("%s:%s:%s", e.name, e.role, e.hash)
	}
	return fmt.Sprintf("%s:%s:%s$%s", e.name, e.role, e.hash, e.expires.UTC().Format(time.RFC3339))
}

// file is the users file's content. Lines keeps what people wrote between entries.
type file struct {
	entries []entry
	byName  map[string]entry
}

// user finds the one of that name who has a password.
func (f *file) user(name string) (entry, bool) {
	e, ok := f.byName[name]
	if !ok || e.token() {
		return entry{}, false
	}
	return e, true
}

// stamp tells versions of the file apart.
type stamp struct {
	size     int64
	modified time.Time
	id       string
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stampFrom(info), nil
}

func stampFrom(info os.FileInfo) stamp {
	return stamp{info.Size(), info.ModTime(), fileID(info)}
}

// read reads the file and checks who may.
func read(path string) (*file, stamp, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, stamp{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, stamp{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o027 != 0 {
		return nil, stamp{}, fmt.Errorf("%w: %s has mode %#o: others can read it or change it; `chmod 600 %s`", ErrConfig, path, mode, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, stamp{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if len(data) > maxFile {
		return nil, stamp{}, fmt.Errorf("%w: %s has more than %d bytes", ErrConfig, path, maxFile)
	}
	parsed, err := parse(data)
	if err != nil {
		return nil, stamp{}, fmt.Errorf("%w: %s: %w", ErrConfig, path, err)
	}
	return parsed, stampFrom(info), nil
}

// parse reads lines; empty ones and those that begin with # are comments.
func parse(data []byte) (*file, error) {
	f := &file{byName: map[string]entry{}}
	for i, line := range bytes.Split(data, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		e, err := parseLine(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if _, twice := f.byName[e.name]; twice {
			return nil, fmt.Errorf("line %d: %q is there twice", i+1, e.name)
		}
		f.byName[e.name] = e
		f.entries = append(f.entries, e)
	}
	return f, nil
}

func parseLine(text string) (entry, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 {
		return entry{}, errors.New("is not name:role:hash")
	}
	e := entry{name: parts[0], role: api.Role(parts[1]), hash: parts[2]}
	if err := checkName(e.name); err != nil {
		return entry{}, err
	}
	if err := checkRole(e.role); err != nil {
		return entry{}, fmt.Errorf("%q: %w", e.name, err)
	}
	if !e.token() {
		_, err := parseHash(e.hash)
		if err != nil {
			return entry{}, fmt.Errorf("the hash of %q %w", e.name, err)
		}
		return e, nil
	}
	hash := strings.SplitN(e.hash, "$", 3)
	if len(hash) < 2 || len(hash[1]) != 64 || strings.Trim(hash[1], "0123456789abcdef") != "" {
		return entry{}, fmt.Errorf("the hash of the token %q is not token-sha256$ and 64 digits", e.name)
	}
	e.hash = hash[0] + "$" + hash[1]
	if len(hash) == 3 {
		expires, err := time.Parse(time.RFC3339, hash[2])
		if err != nil {
			return entry{}, fmt.Errorf("the token %q expires at %q, which is no time such as 2027-01-31T00:00:00Z", e.name, hash[2])
		}
		e.expires = expires
	}
	return e, nil
}

func checkName(name string) error {
	const most = 64
	bad := func(r rune) bool { return r <= ' ' || r == ':' || r == 0x7f || r == '\uFFFD' }
	if name == "" || len(name) > most || strings.ContainsFunc(name, bad) || strings.HasPrefix(name, "#") {
		return fmt.Errorf("%q is no name: 1 to %d bytes without space and colon", name, most)
	}
	return nil
}

func checkRole(r api.Role) error {
	if !r.Includes(api.Viewer) {
		return fmt.Errorf("%q is no role: viewer, operator or admin", r)
	}
	return nil
}
