// Package cloudconfig reads settings from a server that speaks the JSON format of
// Spring Cloud Config: GET {url}/{application}/{profiles}[/{label}]. Programs read it
// between their files and their defaults, see Source.Fetch.
//
// Names are Spring's: keys with dots, lists as key[0], key[1] or comma-separated;
// ${key} and ${key:default} in values stand for other keys or environment variables.
// Values the server left encrypted ({cipher}…) are errors where they are used.
package cloudconfig

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Source is a server and what to ask it for. Parse makes one from text.
type Source struct {
	// URL of the server, http or https, with an optional path. It has no user and no
	// query.
	URL string
	// Optional: a server that is away, or that refuses, is no error.
	Optional bool
	// Application is the name asked for, required. Profiles are those asked for;
	// "default" where there are none. Label is a branch, a tag or a version; the
	// server's own where empty.
	Application string
	Profiles    []string
	Label       string
	// User and Password for basic authentication; none where User is empty.
	User, Password string
	// Timeout of one request; 10 s.
	Timeout time.Duration
	// Environ is as os.Environ gives it, for ${NAME} in values; may be nil.
	Environ []string
}

// Errors.
var (
	// ErrSource: what Parse was given is no server.
	ErrSource = errors.New("configuration server")
	// ErrAway: the server did not answer, or refused.
	ErrAway = errors.New("the configuration server gave nothing")
	// ErrFormat: what it answered is not Spring Cloud Config's JSON.
	ErrFormat = errors.New("the configuration server's answer is not understood")
)

// Forms is what Parse takes, for help texts.
const Forms = "[optional:]http[s]://[USER:PASSWORD@]HOST:PORT[/PATH]"

// Parse reads a server's address in one of Forms. "configserver:" before it, as in
// spring.config.import, makes no difference. Errors wrap ErrSource and never repeat a
// password.
func Parse(text string) (Source, error) {
	rest, optional := strings.CutPrefix(strings.TrimSpace(text), "optional:")
	rest = strings.TrimPrefix(rest, "configserver:")
	u, err := url.Parse(rest)
	switch {
	case err != nil: // the error of url.Parse repeats all of it
		return Source{}, fmt.Errorf("%w: the address cannot be read as a URL; it is %s", ErrSource, Forms)
	case u.Scheme != "http" && u.Scheme != "https":
		return Source{}, fmt.Errorf("%w: the address begins with %q; it is %s", ErrSource, u.Scheme+":", Forms)
	case u.Host == "":
		return Source{}, fmt.Errorf("%w: the address names no host; it is %s", ErrSource, Forms)
	case u.RawQuery != "" || u.Fragment != "":
		return Source{}, fmt.Errorf("%w: the address has a query or a fragment; it is %s", ErrSource, Forms)
	}
	s := Source{Optional: optional}
	if u.User != nil {
		s.User = u.User.Username()
		s.Password, _ = u.User.Password()
		u.User = nil
	}
	s.URL = strings.TrimSuffix(u.String(), "/")
	return s, nil
}

// String is the address without user and password.
func (s Source) String() string {
	if s.Optional {
		return "optional:" + s.URL
	}
	return s.URL
}

// Redact is text in one of Forms without its password, for people.
func Redact(text string) string {
	s, err := Parse(text)
	if err != nil {
		return "(no address)"
	}
	if s.User == "" {
		return s.String()
	}
	shown := s.String()
	return strings.Replace(shown, "://", "://"+url.User(s.User).String()+":xxxxx@", 1)
}
