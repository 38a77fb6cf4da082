package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/connect/config"
)

// What is written, by the names of redis.command.
const (
	hset    = "HSET"
	jsonset = "JSONSET"
	set     = "SET"
	xadd    = "XADD"
	lpush   = "LPUSH"
	rpush   = "RPUSH"
	sadd    = "SADD"
	zadd    = "ZADD"
	del     = "DEL"
)

// ofType is the command of a redis.type.
var ofType = map[string]string{"HASH": hset, "JSON": jsonset, "STRING": set, "STREAM": xadd, "LIST": lpush, "SET": sadd, "ZSET": zadd}

var definition = config.Definition{Keys: []config.Key{
	{Name: "redis.uri", Type: config.Password, Check: checkURI, Doc: "Where Redis is: redis://user:password@host:port/number, or rediss:// with TLS. It stands instead of host and port."},
	{Name: "redis.host", Type: config.String, Default: "localhost", Importance: config.High, Doc: "Host of Redis."},
	{Name: "redis.port", Type: config.Int, Default: "6379", Importance: config.High, Check: config.AtLeast(1), Doc: "Port of Redis."},
	{Name: "redis.username", Type: config.String, Doc: "Name to log in with."},
	{Name: "redis.password", Type: config.Password, Doc: "Password to log in with."},
	{Name: "redis.cluster", Type: config.Boolean, Default: "false", Unsupported: "only single servers are, with or without replicas", Doc: "Whether Redis is a cluster."},
	{Name: "redis.timeout", Type: config.Long, Default: "60", Check: config.AtLeast(1), Doc: "How many seconds to wait for an answer."},
	{Name: "redis.pool", Type: config.Int, Default: "8", Importance: config.Low, Doc: "Has no effect: each task has one connection."},
	{Name: "redis.tls", Type: config.Boolean, Default: "false", Doc: "Whether connections are encrypted."},
	{Name: "redis.insecure", Type: config.Boolean, Default: "false", Doc: "Whether any certificate is accepted, which lets others listen."},
	{Name: "redis.key.file", Type: config.String, Doc: "File with the private key to log in with, in PEM."},
	{Name: "redis.key.cert", Type: config.String, Doc: "File with the certificates of redis.key.file, in PEM."},
	{Name: "redis.key.password", Type: config.Password, Unsupported: "keys with a password are not read", Doc: "Password of redis.key.file."},
	{Name: "redis.cacert", Type: config.String, Doc: "File with the certificates of who may vouch for the server, in PEM."},
	{Name: "redis.charset", Type: config.String, Default: "UTF-8", Unsupported: "text is written in UTF-8", Doc: "How text is written."},
	{Name: "redis.type", Type: config.String, Importance: config.High, Check: checkType, Recommended: []string{"HASH", "JSON", "LIST", "SET", "STREAM", "STRING", "ZSET"}, Doc: "What is written: HASH, STRING, JSON, STREAM (the default), LIST, SET or ZSET."},
	{Name: "redis.command", Type: config.String, Importance: config.High, Check: checkCommand, Recommended: []string{hset, jsonset, set, xadd, lpush, rpush, sadd, zadd, del}, Doc: "The older name of redis.type, with the names of commands."},
	{Name: "redis.keyspace", Type: config.String, Default: "${topic}", Doc: "Before the record's key in a key of Redis, or the key of what has elements; ${topic} is the topic. Empty, the record's key is the key."},
	{Name: "redis.key", Type: config.String, Doc: "The older name of redis.keyspace."},
	{Name: "redis.separator", Type: config.String, Default: ":", Doc: "Between the keyspace and a record's key."},
	{Name: "redis.multiexec", Type: config.Boolean, Default: "false", Doc: "Whether a batch is a transaction of Redis."},
	{Name: "redis.wait.replicas", Type: config.Int, Default: "0", Check: config.AtLeast(0), Doc: "How many replicas must have a batch before it counts as stored."},
	{Name: "redis.wait.timeout", Type: config.Long, Default: "1000", Check: config.AtLeast(1), Doc: "How many milliseconds to wait for replicas."},
	{Name: "redis.json.path", Type: config.String, Default: "$", Unsupported: "whole documents are written", Doc: "Header that names the path to write to."},
	{Name: "redis.json.path.fixed", Type: config.String, Default: "$", Unsupported: "whole documents are written", Doc: "The path to write to."},
}}

func checkURI(v any) error {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	if _, err := goredis.ParseURL(text); err != nil {
		return errors.New("it cannot be read; expected redis://user:password@host:port/number") // the parser's may quote the password
	}
	return nil
}

func checkType(v any) error {
	name, _ := v.(string)
	switch {
	case name == "" || ofType[strings.ToUpper(name)] != "":
		return nil
	case strings.EqualFold(name, "TIMESERIES"):
		return errors.New("time series are not supported")
	}
	return errors.New("Value must be one of HASH, JSON, LIST, SET, STREAM, STRING, ZSET") //nolint:staticcheck // as other such errors
}

func checkCommand(v any) error {
	name, _ := v.(string)
	switch strings.ToUpper(name) {
	case "TSADD", "JSONMERGE":
		return fmt.Errorf("%s is not supported", name)
	}
	return config.OneOf("", hset, jsonset, set, xadd, lpush, rpush, sadd, zadd, del)(name)
}

// settings is a configuration, ready for use.
type settings struct {
	command, keyspace, separator string
	multi                        bool
	replicas                     int
	wait                         time.Duration
}

// hashed says whether each record has a key of Redis to itself.
func (s *settings) hashed() bool {
	return s.command == hset || s.command == set || s.command == jsonset || s.command == del
}

func newSettings(v config.Values) (*settings, []config.Problem) {
	s := &settings{
		command: xadd, keyspace: v.String("redis.keyspace"), separator: separator(v), multi: v.Bool("redis.multiexec"),
		replicas: int(v.Int("redis.wait.replicas")), wait: v.Millis("redis.wait.timeout"),
	}
	if !v.Set("redis.keyspace") && v.Set("redis.key") {
		s.keyspace = v.String("redis.key")
	}
	var problems []config.Problem
	command, kind := strings.ToUpper(v.String("redis.command")), strings.ToUpper(v.String("redis.type"))
	switch {
	case command != "" && kind != "":
		problems = append(problems, config.Problem{Key: "redis.command", Message: "redis.type is set, too: only one of them can say what is written"})
	case command != "":
		s.command = command
	case kind != "":
		s.command = ofType[kind]
	}
	if s.keyspace == "" && !s.hashed() {
		problems = append(problems, config.Problem{Key: "redis.keyspace", Message: "it must not be empty for " + s.command + ", since it is the key"})
	}
	return s, problems
}

// separator may be space, which is trimmed from other settings.
func separator(v config.Values) string {
	if text, ok := v.Raw("redis.separator"); ok {
		return text
	}
	return v.String("redis.separator")
}

func clientOptions(v config.Values) (*goredis.Options, []config.Problem) {
	o := &goredis.Options{Addr: net.JoinHostPort(v.String("redis.host"), strconv.FormatInt(v.Int("redis.port"), 10))}
	if uri := v.String("redis.uri"); uri != "" {
		var err error
		if o, err = goredis.ParseURL(uri); err != nil {
			return nil, []config.Problem{{Key: "redis.uri", Message: checkURI(uri).Error()}}
		}
	}
	if name := v.String("redis.username"); name != "" {
		o.Username = name
	}
	if password := v.String("redis.password"); password != "" {
		o.Password = password
	}
	timeout := time.Duration(v.Int("redis.timeout")) * time.Second
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = min(timeout, dialTimeout), timeout, timeout
	// The runtime tries again, and knows better which records may be written twice.
	o.ContextTimeoutEnabled, o.MaxRetries, o.DialerRetries, o.PoolSize, o.ClientName = true, -1, 1, 1, "pabal"
	return o, secure(o, v)
}

const dialTimeout = 10 * time.Second

func secure(o *goredis.Options, v config.Values) (problems []config.Problem) {
	if !v.Bool("redis.tls") && o.TLSConfig == nil {
		return nil
	}
	host, _, _ := net.SplitHostPort(o.Addr)
	//nolint:gosec // what the option is for
	o.TLSConfig = &tls.Config{ServerName: host, InsecureSkipVerify: v.Bool("redis.insecure"), MinVersion: tls.VersionTLS12}
	if file := v.String("redis.cacert"); file != "" {
		pem, err := os.ReadFile(file)
		o.TLSConfig.RootCAs = x509.NewCertPool()
		if err != nil || !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
			problems = append(problems, config.Problem{Key: "redis.cacert", Message: "the file has no certificates in PEM, or cannot be read"})
		}
	}
	if file := v.String("redis.key.file"); file != "" {
		pair, err := tls.LoadX509KeyPair(v.String("redis.key.cert"), file)
		if err != nil {
			problems = append(problems, config.Problem{Key: "redis.key.file", Message: "no key of redis.key.cert: " + err.Error()})
		}
		o.TLSConfig.Certificates = []tls.Certificate{pair}
	}
	return problems
}
