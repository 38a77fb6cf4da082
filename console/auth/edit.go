package auth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// Listed is a user or a token, without its secret.
type Listed struct {
	Name string   `json:"name"`
	Role api.Role `json:"role"`
	// Kind is "user" or "token".
	Kind    string    `json:"kind"`
	Expires time.Time `json:"expires,omitzero"`
}

// List reads the file for people.
func List(path string) ([]Listed, error) {
	f, _, err := read(path)
	if err != nil {
		return nil, err
	}
	list := make([]Listed, len(f.entries))
	for i, e := range f.entries {
		list[i] = Listed{e.name, e.role, "user", e.expires}
		if e.token() {
			list[i].Kind = "token"
		}
	}
	return list, nil
}

// AddUser writes a user into the file, which it creates where it is missing. One of
// that name gets the new password and role.
func AddUser(path, name string, role api.Role, password string) error {
	hash, err := Hash(password)
	if err != nil {
		return err
	}
	return add(path, entry{name: name, role: role, hash: hash})
}

// AddToken writes a new bearer token of that name into the file and returns it: it
// is nowhere else. It expires then, or never where that is zero.
func AddToken(path, name string, role api.Role, expires time.Time) (string, error) {
	token := newToken()
	return token, add(path, entry{name: name, role: role, hash: tokenHash(token), expires: expires})
}

func add(path string, e entry) error {
	if err := errors.Join(checkName(e.name), checkRole(e.role)); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return edit(path, true, func(lines []string) ([]string, error) {
		i := indexOf(lines, e.name)
		if i < 0 {
			return append(lines, e.line()), nil
		}
		if old, err := parseLine(strings.TrimSpace(lines[i])); err == nil && old.token() != e.token() {
			return nil, fmt.Errorf("%w: %s has a user or token %q of the other kind; remove that first", ErrConfig, path, e.name)
		}
		lines[i] = e.line()
		return lines, nil
	})
}

// Remove takes a user or token out of the file. His sessions end.
func Remove(path, name string) error {
	return edit(path, false, func(lines []string) ([]string, error) {
		i := indexOf(lines, name)
		if i < 0 {
			return nil, fmt.Errorf("%w: %s has no user or token %q", ErrConfig, path, name)
		}
		return slices.Delete(lines, i, i+1), nil
	})
}

func indexOf(lines []string, name string) int {
	return slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), name+":") })
}

// edit replaces the file's lines at once: a reader sees all or nothing of it. A lock
// file keeps two from editing at the same time.
func edit(path string, create bool, change func([]string) ([]string, error)) error {
	unlock, err := lock(path)
	if err != nil {
		return err
	}
	defer unlock()
	lines := strings.Split(strings.TrimSuffix(header, "\n"), "\n")
	_, _, err = read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
	case err != nil:
		return err
	default:
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		lines = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	}
	if lines, err = change(lines); err != nil {
		return err
	}
	return replace(path, strings.Join(lines, "\n")+"\n")
}

// staleLock is when a lock file was left behind by one who died.
const staleLock = 30 * time.Second

func lock(path string) (unlock func(), err error) {
	name := path + ".lock"
	for range 2 {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return func() { f.Close(); os.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
		if info, err := os.Stat(name); err != nil || time.Since(info.ModTime()) < staleLock {
			break
		}
		os.Remove(name)
	}
	return nil, fmt.Errorf("%w: somebody else edits %s at this moment; try again", ErrConfig, path)
}

// replace writes a new file beside the old one, to disk, and renames it. It keeps the
// old one's mode.
func replace(path, content string) error {
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	defer os.Remove(f.Name()) // gone already where all went well
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}
