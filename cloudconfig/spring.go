package cloudconfig

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Spring are the settings of a Spring application on Kafka that mean something here;
// fields are empty where the server does not say.
type Spring struct {
	// Application is spring.application.name, Profiles spring.profiles.active.
	Application string
	Profiles    []string
	// Port is server.port, "" or 0 to 65535.
	Port string
	// Brokers are spring.kafka.bootstrap-servers (or of the consumer, or of the
	// producer, where all that are given agree).
	Brokers []string
	// Group is spring.kafka.consumer.group-id, ClientID spring.kafka.client-id.
	Group, ClientID string
	// Security is spring.kafka.security.protocol, the next three come from
	// spring.kafka.properties: sasl.mechanism and what sasl.jaas.config says of a user.
	Security, Mechanism, User, Password string
	// ContentType is what the serializers write: "application/json", or "" where none
	// is given.
	ContentType string

	// From says, by the field's name above, where it is from.
	From map[string]string
}

// Spring reads them. Its error names the key and what is possible.
func (p *Properties) Spring() (Spring, error) {
	r := springReader{p: p, s: Spring{From: map[string]string{}}}
	r.text("Application", &r.s.Application, "spring.application.name")
	r.list("Profiles", &r.s.Profiles, "spring.profiles.active")
	r.text("Port", &r.s.Port, "server.port")
	r.list("Brokers", &r.s.Brokers, "spring.kafka.bootstrap-servers", "spring.kafka.consumer.bootstrap-servers", "spring.kafka.producer.bootstrap-servers")
	r.text("Group", &r.s.Group, "spring.kafka.consumer.group-id")
	r.text("ClientID", &r.s.ClientID, "spring.kafka.client-id", "spring.kafka.consumer.client-id")
	r.text("Security", &r.s.Security, "spring.kafka.security.protocol", "spring.kafka.properties.security.protocol")
	r.text("Mechanism", &r.s.Mechanism, "spring.kafka.properties.sasl.mechanism")
	r.login()
	r.serializers()
	r.port()
	return r.s, r.err
}

// springReader keeps the first error.
type springReader struct {
	p   *Properties
	s   Spring
	err error
}

func (r *springReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// text takes the first of the keys that is there.
func (r *springReader) text(field string, to *string, keys ...string) {
	for _, key := range keys {
		v, ok, err := r.p.Get(key)
		if err != nil {
			r.fail(err)
		}
		if ok && err == nil && v.Text != "" {
			*to, r.s.From[field] = v.Text, r.p.Origin(v)
			return
		}
	}
}

// list takes the first of the keys; the others must not say otherwise.
func (r *springReader) list(field string, to *[]string, keys ...string) {
	for _, key := range keys {
		all, err := r.p.List(key)
		switch {
		case err != nil:
			r.fail(err)
		case len(all) == 0:
		case *to == nil:
			*to, r.s.From[field] = all, r.origin(key)
		case !slices.Equal(*to, all):
			r.fail(fmt.Errorf("%s: %s is %s, and another key says %s: there is one cluster here",
				r.origin(key), key, strings.Join(all, ","), strings.Join(*to, ",")))
		}
	}
}

func (r *springReader) origin(key string) string {
	for _, k := range []string{key, key + "[0]"} {
		if v, ok := r.p.values[canonical(k)]; ok {
			return r.p.Origin(v)
		}
	}
	return r.p.server
}

func (r *springReader) port() {
	if r.s.Port == "" {
		return
	}
	if n, err := strconv.Atoi(r.s.Port); err != nil || n < 0 || n > 65535 {
		r.fail(fmt.Errorf("%s: server.port is %q, not a port from 0 to 65535", r.s.From["Port"], r.s.Port))
	}
}

// login reads the user of a JAAS line such as
//
//	…PlainLoginModule required username="u" password="p";
func (r *springReader) login() {
	const key = "spring.kafka.properties.sasl.jaas.config"
	line := ""
	r.text("User", &line, key)
	if line == "" {
		return
	}
	user, okUser := quoted(line, "username=")
	password, okPassword := quoted(line, "password=")
	if !okUser || !okPassword {
		r.fail(fmt.Errorf(`%s: %s has no username="…" and password="…"`, r.s.From["User"], key))
		return
	}
	r.s.User, r.s.Password, r.s.From["Password"] = user, password, r.s.From["User"]
}

func quoted(line, name string) (string, bool) {
	_, rest, ok := strings.Cut(line, name+`"`)
	if !ok {
		return "", false
	}
	var out strings.Builder
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '"':
			return out.String(), true
		case rest[i] == '\\' && i+1 < len(rest):
			i++
		}
		out.WriteByte(rest[i])
	}
	return "", false
}

// jsonSerializers are classes that read or write JSON, or text that JSON is put into.
var jsonSerializers = []string{
	"org.springframework.kafka.support.serializer.JsonSerializer",
	"org.springframework.kafka.support.serializer.JsonDeserializer",
	"org.springframework.kafka.support.serializer.JacksonJsonSerializer",
	"org.springframework.kafka.support.serializer.JacksonJsonDeserializer",
	"org.apache.kafka.common.serialization.StringSerializer",
	"org.apache.kafka.common.serialization.StringDeserializer",
}

// wrapper hands errors to Spring; what it wraps is named by another key.
const wrapper = "org.springframework.kafka.support.serializer.ErrorHandlingDeserializer"

func (r *springReader) serializers() {
	for _, key := range []string{
		"spring.kafka.producer.key-serializer", "spring.kafka.consumer.key-deserializer",
		"spring.kafka.producer.value-serializer", "spring.kafka.consumer.value-deserializer",
		"spring.kafka.consumer.properties.spring.deserializer.key.delegate.class",
		"spring.kafka.consumer.properties.spring.deserializer.value.delegate.class",
	} {
		class := ""
		r.text("ContentType", &class, key)
		switch isKey := strings.Contains(key, "key"); {
		case class == "" || class == wrapper:
		case isKey && !strings.HasPrefix(class, "org.apache.kafka.common.serialization.String"):
			r.fail(fmt.Errorf("%s: %s is %s; keys are text here (StringSerializer, StringDeserializer)", r.s.From["ContentType"], key, class))
		case !isKey && !slices.Contains(jsonSerializers, class):
			r.fail(fmt.Errorf("%s: %s is %s; values are JSON here, which %s read and write", r.s.From["ContentType"], key, class, "JsonSerializer, JsonDeserializer, StringSerializer and StringDeserializer"))
		case !isKey:
			r.s.ContentType = "application/json"
		}
	}
}
