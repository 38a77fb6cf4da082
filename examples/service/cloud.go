package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/cloudconfig"
)

// cloud resolves flags from a configuration server: pabal.<flag>, or what Spring calls
// the same.
type cloud struct {
	properties *cloudconfig.Properties
	spring     cloudconfig.Spring
}

// cloudPrefix stands before the name of a flag there; other keys are another's.
const cloudPrefix = "pabal."

// askServer returns nil where no server is named, or an optional one is away.
func (f *flags) askServer(ctx context.Context, log *slog.Logger) (*cloud, error) {
	if f.ConfigServer == "" {
		return nil, nil
	}
	source, err := cloudconfig.Parse(f.ConfigServer)
	if err != nil {
		return nil, fmt.Errorf("--config-server: %w", err)
	}
	source.Application, source.Profiles, source.Label = f.ConfigApplication, f.ConfigProfile, f.ConfigLabel
	source.Environ = os.Environ()
	properties, err := source.Fetch(ctx)
	if errors.Is(err, cloudconfig.ErrAway) && source.Optional {
		log.Warn("going on without the configuration server, which is optional", "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--config-server: %w", err)
	}
	spring, err := properties.Spring()
	return &cloud{properties, spring}, err
}

// Validate implements kong.Resolver.
func (c *cloud) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. The environment counts more.
func (c *cloud) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if _, ok := variable(flag); ok || strings.HasPrefix(flag.Name, "config-") {
		return nil, nil
	}
	text, _, err := c.lookup(flag)
	if err != nil || text == "" {
		return nil, err
	}
	return text, nil
}

// lookup finds a flag's value and where it is from; "" is none.
func (c *cloud) lookup(flag *kong.Flag) (text, from string, err error) {
	all, err := c.properties.List(cloudPrefix + flag.Name)
	if err != nil {
		return "", "", err
	}
	for _, key := range []string{cloudPrefix + flag.Name, cloudPrefix + flag.Name + "[0]"} {
		if v, ok, _ := c.properties.Get(key); ok && len(all) > 0 {
			return strings.Join(all, ","), c.properties.Origin(v) + ": " + v.Key, nil
		}
	}
	text, field := c.springs(flag)
	return text, c.spring.From[field], nil
}

// springs is what Spring's names say of a flag.
func (c *cloud) springs(flag *kong.Flag) (text, field string) {
	s := c.spring
	switch flag.Name {
	case "listen":
		if host, _, err := net.SplitHostPort(flag.Default); err == nil && s.Port != "" {
			return net.JoinHostPort(host, s.Port), "Port"
		}
	case "kafka":
		return strings.Join(s.Brokers, ","), "Brokers"
	case "kafka-client-id":
		if s.ClientID == "" {
			return s.Application, "Application"
		}
		return s.ClientID, "ClientID"
	case "group":
		return s.Group, "Group"
	case "kafka-tls":
		if strings.HasSuffix(s.Security, "SSL") {
			return "true", "Security"
		}
	case "kafka-sasl-mechanism":
		return s.Mechanism, "Mechanism"
	case "kafka-user":
		return s.User, "User"
	case "kafka-password":
		return s.Password, "Password"
	}
	return "", ""
}

// unknown keys begin like ours and are no flag's.
func (c *cloud) unknown(flags []*kong.Flag) error {
	var errs []error
	for _, key := range c.properties.Keys() {
		name, ours := strings.CutPrefix(key, cloudPrefix)
		name, _, _ = strings.Cut(name, "[")
		known := slices.ContainsFunc(flags, func(f *kong.Flag) bool { return cloudconfig.SameKey(f.Name, name) })
		if ours && (!known || strings.HasPrefix(name, "config-")) {
			v, _, _ := c.properties.Get(key)
			errs = append(errs, fmt.Errorf("%s: %s is no setting of this service (see --help for the flags)", c.properties.Origin(v), key))
		}
	}
	return errors.Join(errs...)
}

// variable is the one in the environment that sets a flag.
func variable(flag *kong.Flag) (name string, ok bool) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return name, true
		}
	}
	return "", false
}
