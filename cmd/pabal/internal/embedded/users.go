package embedded

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// maxUsers bounds a file of users, in bytes.
const maxUsers = 1 << 20

// ReadUsers reads a file with a user a line, NAME:PASSWORD. Empty lines and those that begin
// with # are none. Passwords stand there as they are, because clients prove with SCRAM that
// they know them: so nobody else may be able to read the file.
func ReadUsers(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o027 != 0 {
		return nil, fmt.Errorf("%s has mode %#o: others can read it or change it; `chmod 600 %s`", path, mode, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxUsers+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxUsers {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxUsers)
	}
	users, err := parseUsers(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return users, nil
}

// parseUsers repeats no line in its errors: it may have a password.
func parseUsers(data []byte) (map[string]string, error) {
	users := map[string]string{}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimRight(string(line), "\r\n")
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, password, ok := strings.Cut(text, ":")
		name = strings.TrimSpace(name)
		switch _, twice := users[name]; {
		case !ok || name == "" || password == "":
			return nil, fmt.Errorf("line %d is not NAME:PASSWORD", n)
		case twice:
			return nil, fmt.Errorf("line %d: %q is there twice", n, name)
		case name == insiderName:
			return nil, fmt.Errorf("line %d: %q is the name that this program itself has", n, name)
		}
		users[name] = password
	}
	if len(users) == 0 {
		return nil, fmt.Errorf("it has no user: a line is NAME:PASSWORD")
	}
	return users, nil
}
