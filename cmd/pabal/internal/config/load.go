package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/cloudconfig"
)

// Kind is a place settings come from.
type Kind string

// Kinds of origins; each counts more than those before it.
const (
	Default Kind = "default"
	Server  Kind = "server"
	File    Kind = "file"
	Env     Kind = "environment"
	Flag    Kind = "flag"
)

// Origin is where a value came from; Where is the flag, the variable, or file:line.
type Origin struct {
	Kind  Kind   `json:"kind"`
	Where string `json:"where,omitempty"`
}

func (o Origin) String() string {
	if o.Where == "" {
		return string(o.Kind)
	}
	return o.Where
}

// Input is what settings are read from.
type Input struct {
	// File named by --config; "" where none is.
	File string
	// Flags given, by name without dashes, with their text.
	Flags map[string]string
	// Environ is as os.Environ gives it.
	Environ []string
	// ReadFile is os.ReadFile.
	ReadFile func(name string) ([]byte, error)
	// Fetch asks the server that config-server.url names; nil asks none.
	Fetch func(cloudconfig.Source) (*cloudconfig.Properties, error)
}

// Loaded are settings and where each came from.
type Loaded struct {
	Settings
	// File that was read, "" for none; FileFrom says why that one.
	File, FileFrom string
	// Warnings are for people: an optional server that was away.
	Warnings []string

	origins map[string]Origin
}

// Origin of a setting, by its key.
func (l *Loaded) Origin(key string) Origin {
	if o, ok := l.origins[key]; ok {
		return o
	}
	return Origin{Kind: Default}
}

// ErrWrong is wrapped by every error about a configuration.
var ErrWrong = errors.New("wrong configuration")

// FileVariable names the file where --config does not; DefaultFile is read where it
// is there.
const (
	FileVariable = EnvPrefix + "CONFIG"
	DefaultFile  = "pabal.yaml"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Load reads all places and checks the result. Its error wraps ErrWrong and tells all
// that is wrong, with where it stands.
func Load(in Input) (*Loaded, error) {
	l, err := read(in, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	// The other places say which server to ask, and count more than it.
	server, err := l.askServer(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if server != nil {
		if l, err = read(in, server); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrWrong, err)
		}
	}
	var errs []error
	for _, p := range l.problems() {
		errs = append(errs, fmt.Errorf("%s: %s", l.name(p.key), p.text))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	return l, nil
}

// read takes every place's settings in the order in which they count, the least first.
func read(in Input, server *cloudconfig.Properties) (*Loaded, error) {
	l := &Loaded{origins: map[string]Origin{}}
	for _, s := range Table {
		if s.Default == "" {
			continue
		}
		if err := s.set(&l.Settings, s.split(s.Default)); err != nil {
			panic(fmt.Sprintf("the default of %s: %v", s.Key, err))
		}
	}
	env := environment(in.Environ)
	return l, errors.Join(l.readServer(server), l.readFile(in, env), l.readEnv(env), l.readFlags(in.Flags))
}

// name is what a setting is called where it was given.
func (l *Loaded) name(key string) string {
	s, _ := find(key)
	switch o := l.Origin(key); o.Kind {
	case Flag, Env:
		return o.Where
	case File:
		return o.Where + ": " + key
	case Server:
		return o.Where
	}
	if flag := s.FlagName(); flag != "" {
		return "--" + flag
	}
	return s.Env()
}

func (l *Loaded) readFile(in Input, env map[string]string) error {
	name, from := in.File, "--config"
	if name == "" {
		name, from = env[FileVariable], FileVariable
	}
	if name == "" {
		name, from = DefaultFile, "found in this folder"
	}
	data, err := in.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == DefaultFile && in.File == "" && env[FileVariable] == "":
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", from, err)
	case len(data) > maxFile:
		return fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	l.File, l.FileFrom = name, from
	return readFile(name, data, &l.Settings, l.origins)
}

// environment are the variables that begin with EnvPrefix and are not empty.
func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, line := range environ {
		if name, value, _ := strings.Cut(line, "="); strings.HasPrefix(name, EnvPrefix) && value != "" {
			env[name] = value
		}
	}
	return env
}

// readEnv takes what belongs to settings and refuses what belongs to nobody.
func (l *Loaded) readEnv(env map[string]string) error {
	var errs []error
	known := slices.Clone(ForeignVariables)
	for _, s := range Table {
		known = append(known, s.Env())
		text, ok := env[s.Env()]
		if !ok {
			continue
		}
		if err := l.readVariable(s, text); err != nil {
			errs = append(errs, err)
			continue
		}
		l.origins[s.Key] = Origin{Env, s.Env()}
	}
	for name := range env {
		if !slices.Contains(known, name) && !foreign(name) {
			errs = append(errs, fmt.Errorf("unknown variable %s%s", name, suggest(name, known)))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func (l *Loaded) readVariable(s Setting, text string) error {
	if s.Key == rulesKey {
		return readFile(s.Env(), []byte("mask:\n  rules:\n    "+strings.ReplaceAll(text, "\n", "\n    ")+"\n"), &l.Settings, map[string]Origin{})
	}
	if err := s.set(&l.Settings, s.split(text)); err != nil {
		return fmt.Errorf("%s: %w", s.Env(), err)
	}
	return nil
}

func suggest(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

func (l *Loaded) readFlags(flags map[string]string) error {
	var errs []error
	for _, s := range Table {
		text, given := flags[s.FlagName()]
		if !given || s.FlagName() == "" {
			continue
		}
		where := "--" + s.FlagName()
		if err := s.set(&l.Settings, s.split(text)); err != nil {
			errs = append(errs, fmt.Errorf("%s=%s: %w", where, text, err))
			continue
		}
		l.origins[s.Key] = Origin{Flag, where}
	}
	return errors.Join(errs...)
}
