// Package client asks a schema registry, Pabal's or any other with Confluent's REST API, for the
// schemas of ids and the ids of schemas.
//
//	c, err := client.New(client.Config{URLs: []string{"http://127.0.0.1:8081"}})
//	...
//	defer c.Close()
//	id, err := c.Register(ctx, "orders-value", client.Schema{Text: avsc})
//	schema, err := c.ByID(ctx, id)
//
// What an id means never changes, so that each is asked for once, however many goroutines need it.
// While the registry is down, ids that are known go on to work, and a question about another one is
// asked again until its context ends or RetryFor is over. With CacheFile, what was known is known
// again after a start without a registry.
package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Config of a client. Only URLs is required.
type Config struct {
	// URLs of instances of one registry, such as http://127.0.0.1:8081. Where one does not answer, the
	// next is asked.
	URLs []string
	// Context of the subjects and ids, such as ".orders"; the default one where empty.
	Context string
	// User and Password are sent as basic authentication where User is not empty.
	User, Password string
	// Token is sent as a bearer token where it is not empty.
	Token string
	// TLS of https URLs; nil is the system's.
	TLS *tls.Config
	// HTTP asks, and TLS has no effect then; nil is a client of its own.
	HTTP *http.Client
	// Timeout of one request; 10 s where zero.
	Timeout time.Duration
	// RetryFor is how long a question is asked again while no instance answers; 30 s where zero, and
	// negative for once only. The context of a call may end it earlier.
	RetryFor time.Duration
	// LatestFor is how long the latest version of a subject is taken as such without asking again;
	// 30 s where zero.
	LatestFor time.Duration
	// MaxSchemas is how many schemas are remembered; 10,000 where zero.
	MaxSchemas int
	// CacheFile, where not empty, keeps what is remembered. Each process has its own.
	CacheFile string
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// Types of schemas.
const (
	Avro = "AVRO"
	JSON = "JSON"
)

// Schema is a text with its type.
type Schema struct {
	// Type is AVRO where empty.
	Type string `json:"schemaType,omitempty"`
	Text string `json:"schema"`
	// References are the schemas that the text names.
	References []Reference `json:"references,omitempty"`
}

// Reference says which version of a subject a name in a schema means.
type Reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Registered is a schema as a version of a subject.
type Registered struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
	ID      int    `json:"id"`
	Schema
}

// ErrConfig is wrapped by errors about a configuration that cannot work.
var ErrConfig = errors.New("schema registry client configuration")

// Client is safe for concurrent use.
type Client struct {
	cfg    Config
	http   *http.Client
	memory *memory
	flying flights
	first  int // index of the URL that answered last
	mu     sync.Mutex
}

// New returns a client; it asks nothing yet. Close it.
func New(c Config) (*Client, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	c.RetryFor = cmp.Or(c.RetryFor, 30*time.Second)
	c.LatestFor = cmp.Or(c.LatestFor, 30*time.Second)
	c.MaxSchemas = cmp.Or(c.MaxSchemas, 10_000)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.HTTP == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = c.TLS
		c.HTTP = &http.Client{Transport: transport}
	}
	cl := &Client{cfg: c, http: c.HTTP, memory: newMemory(c)}
	if err := cl.memory.open(); err != nil {
		return nil, err
	}
	return cl, nil
}

func (c Config) validate() error {
	if len(c.URLs) == 0 {
		return fmt.Errorf("%w: no URLs", ErrConfig)
	}
	for _, given := range c.URLs {
		u, err := url.Parse(given)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%w: %q is no URL with http:// or https://", ErrConfig, given[strings.LastIndexByte(given, '@')+1:])
		}
	}
	if strings.Contains(c.Context, ":") {
		return fmt.Errorf("%w: the context %q has a colon", ErrConfig, c.Context)
	}
	if c.User != "" && c.Token != "" {
		return fmt.Errorf("%w: both a user and a token", ErrConfig)
	}
	return nil
}

// Close writes the cache file and lets connections go.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return c.memory.close()
}

// Register returns the id of a schema under a subject, and registers it where it is not. An
// incompatible one is refused with ErrIncompatible, a text that is no schema with ErrInvalid.
func (c *Client) Register(ctx context.Context, subject string, s Schema) (int, error) {
	key := registeredKey(subject, s)
	if id, ok := c.memory.id(key); ok {
		return id, nil
	}
	found, err := c.flying.do(ctx, "register "+key, func() (any, error) {
		if id, ok := c.memory.id(key); ok { // who asked before has just been answered
			return id, nil
		}
		var answer Registered
		if err := c.retry(ctx, http.MethodPost, "/subjects/"+url.PathEscape(subject)+"/versions", s, &answer); err != nil {
			return nil, fmt.Errorf("register the schema of %s: %w", subject, err)
		}
		c.memory.keep(key, answer.ID, s)
		return answer.ID, nil
	})
	if err != nil {
		return 0, err
	}
	return found.(int), nil
}

// Lookup returns the version of a subject that has a schema, and ErrNotFound where none has.
func (c *Client) Lookup(ctx context.Context, subject string, s Schema) (Registered, error) {
	var answer Registered
	if err := c.retry(ctx, http.MethodPost, "/subjects/"+url.PathEscape(subject), s, &answer); err != nil {
		return Registered{}, fmt.Errorf("look up the schema under %s: %w", subject, err)
	}
	c.memory.keep(registeredKey(subject, s), answer.ID, s)
	return answer, nil
}

// ByID returns the schema of an id, and ErrNotFound where there is none.
func (c *Client) ByID(ctx context.Context, id int) (Schema, error) {
	if s, err, ok := c.memory.schema(id); ok {
		return s, err
	}
	found, err := c.flying.do(ctx, fmt.Sprint("id ", id), func() (any, error) {
		if s, err, ok := c.memory.schema(id); ok {
			return s, err
		}
		var answer Schema
		if err := c.retry(ctx, http.MethodGet, fmt.Sprintf("/schemas/ids/%d", id), nil, &answer); err != nil {
			err = fmt.Errorf("ask for the schema with id %d: %w", id, err)
			if errors.Is(err, ErrNotFound) {
				c.memory.miss(id, err)
			}
			return nil, err
		}
		c.memory.keep("", id, answer)
		return answer, nil
	})
	if err != nil {
		return Schema{}, err
	}
	return found.(Schema), nil
}

// Latest returns the latest version of a subject. While the registry is down, it is the one that
// was the latest.
func (c *Client) Latest(ctx context.Context, subject string) (Registered, error) {
	known, fresh := c.memory.latest(subject)
	if fresh {
		return known, nil
	}
	found, err := c.flying.do(ctx, "latest "+subject, func() (any, error) {
		if r, fresh := c.memory.latest(subject); fresh {
			return r, nil
		}
		ask := c.retry
		if known.ID > 0 {
			ask = c.ask // there is something to fall back to
		}
		var answer Registered
		if err := ask(ctx, http.MethodGet, "/subjects/"+url.PathEscape(subject)+"/versions/latest", nil, &answer); err != nil {
			return nil, fmt.Errorf("ask for the latest schema of %s: %w", subject, err)
		}
		c.memory.keepLatest(subject, answer)
		return answer, nil
	})
	if errors.Is(err, ErrUnavailable) && known.ID > 0 {
		c.cfg.Logger.Warn("schema registry: it does not answer; the latest version that is known is used", "subject", subject, "version", known.Version, "error", err)
		return known, nil
	}
	if err != nil {
		return Registered{}, err
	}
	return found.(Registered), nil
}

// Version returns one version of a subject, as references name them.
func (c *Client) Version(ctx context.Context, subject string, version int) (Registered, error) {
	if known, ok := c.memory.version(subject, version); ok {
		return known, nil
	}
	found, err := c.flying.do(ctx, fmt.Sprint("version ", version, " ", subject), func() (any, error) {
		if known, ok := c.memory.version(subject, version); ok {
			return known, nil
		}
		var answer Registered
		path := fmt.Sprintf("/subjects/%s/versions/%d?deleted=true", url.PathEscape(subject), version)
		if err := c.retry(ctx, http.MethodGet, path, nil, &answer); err != nil {
			return nil, fmt.Errorf("ask for version %d of %s: %w", version, subject, err)
		}
		c.memory.keepVersion(subject, version, answer)
		return answer, nil
	})
	if err != nil {
		return Registered{}, err
	}
	return found.(Registered), nil
}

// Compatible returns why a schema cannot become the next version of a subject; nothing where it
// can.
func (c *Client) Compatible(ctx context.Context, subject string, s Schema) ([]string, error) {
	var answer struct {
		Is       bool     `json:"is_compatible"`
		Messages []string `json:"messages"`
	}
	path := "/compatibility/subjects/" + url.PathEscape(subject) + "/versions?verbose=true"
	if err := c.retry(ctx, http.MethodPost, path, s, &answer); err != nil {
		return nil, fmt.Errorf("compare the schema with those of %s: %w", subject, err)
	}
	if !answer.Is && len(answer.Messages) == 0 {
		answer.Messages = []string{"the registry gives no reason"}
	}
	if answer.Is {
		return nil, nil
	}
	return answer.Messages, nil
}

// Level returns the level of compatibility that is in force for a subject, such as BACKWARD.
func (c *Client) Level(ctx context.Context, subject string) (string, error) {
	var answer struct {
		Level string `json:"compatibilityLevel"`
	}
	if err := c.retry(ctx, http.MethodGet, "/config/"+url.PathEscape(subject)+"?defaultToGlobal=true", nil, &answer); err != nil {
		return "", fmt.Errorf("ask for the level of compatibility of %s: %w", subject, err)
	}
	return answer.Level, nil
}
