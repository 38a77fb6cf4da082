package demo

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/schemas"
	"github.com/pabal-dev/pabal/examples/service"
)

// startRegistry serves a schema registry whose topic is in the log, with the demo's prefix where that
// is a real cluster: it is gone with the rest.
func (s *session) startRegistry(ctx context.Context) (err error) {
	if s.addresses.registry == "" {
		return nil
	}
	s.registry, err = schemas.Start(ctx, schemas.Config{Kafka: s.cluster, Listen: s.addresses.registry, Logger: s.log})
	if err != nil {
		return err
	}
	s.onClose(s.registry.Stop)
	return nil
}

// registryURL is "" without a registry.
func (s *session) registryURL() string {
	if s.registry == nil {
		return ""
	}
	return s.registry.URL()
}

// hasSchemas: what is not in Avro now may have been in an earlier run in the same folder.
func (o Options) hasSchemas() bool {
	return slices.ContainsFunc(o.services(), func(d service.Definition) bool { return len(d.Schemas) > 0 })
}

// standardRegistryPort is taken where it is free; another one where nobody asked for it.
const standardRegistryPort = 8081

func (o Options) registryPort() int {
	if o.RegistryPort != standardRegistryPort {
		return o.RegistryPort
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(standardRegistryPort)))
	if err != nil {
		return 0
	}
	l.Close()
	return standardRegistryPort
}

// codecOf is what a service writes.
func (o Options) codecOf(d service.Definition) string {
	if len(d.Schemas) == 0 {
		return service.CodecJSON
	}
	return cmp.Or(o.Codec, d.Codec, service.CodecJSON)
}

// codecs are what systems that have a choice write, in the order of the alphabet.
func (o Options) codecs() (all []string) {
	for _, d := range o.services() {
		if len(d.Schemas) > 0 {
			all = append(all, o.codecOf(d))
		}
	}
	if len(all) == 0 {
		return []string{service.CodecJSON}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (o Options) codecName() string { return strings.Join(o.codecs(), ",") }

// codecText says for people what is written.
func (o Options) codecText() string {
	if all := o.codecs(); len(all) == 1 {
		return "services write " + map[string]string{service.CodecAvro: "Avro", service.CodecJSON: "JSON"}[all[0]]
	}
	var avro []string
	for _, each := range o.chosen() {
		if o.codecOf(each.system.Definitions[0]) == service.CodecAvro {
			avro = append(avro, each.system.Name)
		}
	}
	return and(avro) + " in Avro, the others in JSON"
}

// payloads read what services write; nil without a registry.
func (s stage) payloads(schemas map[string]service.Schema) (*service.Payloads, error) {
	if s.registry == "" {
		return nil, nil
	}
	return service.NewPayloads(service.PayloadConfig{
		Registry: []string{s.registry}, Codec: service.CodecJSON, Schemas: schemas, Topic: s.cluster.Topic,
	})
}
