package up

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/schemas"
	"github.com/pabal-dev/pabal/console"
)

// registryListen is where the schema registry shall be, or config.Off.
func (s *session) registryListen() string {
	if s.o.Config.Registry.URL != "" && s.o.Config.Registry.Listen == config.Auto {
		return config.Off
	}
	return s.listen(s.o.Config.Registry.Listen, config.AutoRegistry)
}

func (s *session) startRegistry(ctx context.Context) error {
	if s.registryAt == "" {
		return nil
	}
	access, err := s.access(s.registryAt)
	if err != nil {
		return err
	}
	s.registry, err = schemas.Start(ctx, schemas.Config{Kafka: s.cluster, Listen: s.registryAt, Access: access, Logger: s.log})
	switch {
	case err == nil:
		s.onStop(s.registry.Stop)
	case takenSince(s.o.Config.Registry.Listen, err):
		s.registryAt, s.registry, err = "", nil, nil
	}
	return err
}

// showRegistry has the console show the registry that is given, or the one in this process.
func (s *session) showRegistry(c *console.Config) {
	switch given := s.o.Config.Registry; {
	case given.URL != "":
		c.RegistryURL = given.URL
		if given.User != "" {
			c.RegistryHTTP = &http.Client{Transport: basic{given.User, s.files.registryPassword, origin(given.URL)}}
		}
	case s.registry != nil:
		c.RegistryURL, c.RegistryHTTP = s.registry.URL(), s.registry.Client()
	}
}

// basic sends a user and his password to one origin, and not to where that may redirect.
type basic struct{ user, password, origin string }

// RoundTrip implements http.RoundTripper.
func (b basic) RoundTrip(r *http.Request) (*http.Response, error) {
	if origin(r.URL.String()) != b.origin {
		return http.DefaultTransport.RoundTrip(r)
	}
	asked := r.Clone(r.Context())
	asked.SetBasicAuth(b.user, b.password)
	return http.DefaultTransport.RoundTrip(asked)
}

// origin is the scheme and the host of an address.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// registryText says where the registry is, or why not; "" where nobody wants to know.
func (s *session) registryText() string {
	switch {
	case s.registry != nil:
		return s.registry.URL()
	case s.registryListen() != config.Off:
		return "off, because another program has " + s.registryListen() + "; run it on another port with --registry=127.0.0.1:PORT"
	}
	return ""
}
