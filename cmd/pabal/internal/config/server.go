package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/cloudconfig"
)

// ConfigServer is a server with more settings, which count less than the file's.
type ConfigServer struct {
	URL         string
	Application string
	Profiles    []string
	Label       string
}

// serverKey is where the server's address is, serverPrefix stands before every key
// of a setting there; other keys are another's.
const (
	serverKey    = "config-server.url"
	serverPrefix = "pabal."
)

// source is nil where no server is named.
func (c ConfigServer) source(environ []string) (*cloudconfig.Source, error) {
	if c.URL == "" {
		return nil, nil
	}
	s, err := cloudconfig.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	s.Application, s.Profiles, s.Label, s.Environ = c.Application, c.Profiles, c.Label, environ
	return &s, nil
}

// askServer returns nil where there is none, or an optional one is away, which is
// noted.
func (l *Loaded) askServer(in Input) (*cloudconfig.Properties, error) {
	source, err := l.ConfigServer.source(in.Environ)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name(serverKey), err)
	}
	if source == nil || in.Fetch == nil {
		return nil, nil
	}
	p, err := in.Fetch(*source)
	if errors.Is(err, cloudconfig.ErrAway) && source.Optional {
		l.Warnings = append(l.Warnings, err.Error()+"; going on without it, because it is optional")
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name(serverKey), err)
	}
	return p, nil
}

// readServer takes the keys of settings, and Spring's for the same.
func (l *Loaded) readServer(p *cloudconfig.Properties) error {
	if p == nil {
		return nil
	}
	spring, err := p.Spring()
	errs := []error{err}
	if err == nil {
		errs = append(errs, l.readSpring(spring))
	}
	for _, s := range Table {
		errs = append(errs, l.readProperty(s, p))
	}
	return errors.Join(append(errs, unknownProperties(p))...)
}

func (l *Loaded) readProperty(s Setting, p *cloudconfig.Properties) error {
	texts, err := p.List(serverPrefix + s.Key)
	v, single, _ := p.Get(serverPrefix + s.Key)
	if err != nil || len(texts) == 0 && !single {
		return err
	}
	if single {
		texts = s.split(v.Text)
	} else {
		v, _, _ = p.Get(serverPrefix + s.Key + "[0]")
	}
	where := p.Origin(v) + ": " + v.Key
	if s.Key == rulesKey || strings.HasPrefix(s.Key, "config-server.") {
		return fmt.Errorf("%s: this setting cannot come from a server; put it into the file", where)
	}
	if err := s.set(&l.Settings, texts); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	l.origins[s.Key] = Origin{Server, where}
	return nil
}

// unknownProperties are keys that begin like ours and are not.
func unknownProperties(p *cloudconfig.Properties) error {
	var known []string
	for _, s := range Table {
		known = append(known, s.Key)
	}
	var errs []error
	for _, key := range p.Keys() {
		name, ours := strings.CutPrefix(key, serverPrefix)
		name, _, _ = strings.Cut(name, "[")
		if ours && !slices.ContainsFunc(known, func(k string) bool { return cloudconfig.SameKey(k, name) }) {
			v, _, _ := p.Get(key)
			errs = append(errs, fmt.Errorf("%s: unknown key %s%s", p.Origin(v), key, suggest(name, known)))
		}
	}
	return errors.Join(errs...)
}

// readSpring takes what Spring's names say of the same things.
func (l *Loaded) readSpring(s cloudconfig.Spring) error {
	var errs []error
	set := func(key, field string, texts ...string) {
		if s.From[field] == "" {
			return
		}
		setting, _ := find(key)
		if err := setting.set(&l.Settings, texts); err != nil {
			errs = append(errs, fmt.Errorf("%s: for %s: %w", s.From[field], key, err))
		}
		l.origins[key] = Origin{Server, s.From[field]}
	}
	if s.Port != "" {
		set("console.listen", "Port", "127.0.0.1:"+s.Port)
	}
	set("kafka.brokers", "Brokers", s.Brokers...)
	set("kafka.sasl.mechanism", "Mechanism", s.Mechanism)
	set("kafka.sasl.user", "User", s.User)
	set("kafka.sasl.password", "Password", s.Password)
	if strings.HasSuffix(s.Security, "SSL") {
		set("kafka.tls.enabled", "Security", "true")
	}
	return errors.Join(errs...)
}
