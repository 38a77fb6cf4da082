package wire

import (
	"regexp"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// apiVersionsMax is the last version of ApiVersions that is answered as asked.
const apiVersionsMax = 4

// byKey is what is served, ApiVersions too.
func byKey(apis []API) map[int16]API {
	m := map[int16]API{int16(kmsg.ApiVersions): {int16(kmsg.ApiVersions), 0, apiVersionsMax}}
	for _, a := range apis {
		if a.Key != int16(kmsg.ApiVersions) {
			m[a.Key] = a
		}
	}
	return m
}

// software is what names and versions of clients may be (KIP-511).
var software = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$`)

const mostSoftware = 64

// apiVersions answers what is served. req is nil for one of a version from the future,
// which is answered in version 0.
func (s *Server) apiVersions(c *Conn, req *kmsg.ApiVersionsRequest) Answer {
	resp := kmsg.NewPtrApiVersionsResponse()
	if req == nil {
		resp.ErrorCode = kerr.UnsupportedVersion.Code
		resp.ApiKeys = []kmsg.ApiVersionsResponseApiKey{apiKey(s.apis[int16(kmsg.ApiVersions)])}
		return resp
	}
	resp.Version = req.Version
	if req.Version >= 3 {
		name, version := req.ClientSoftwareName, req.ClientSoftwareVersion
		if !software.MatchString(name) || !software.MatchString(version) {
			resp.ErrorCode = kerr.InvalidRequest.Code
			return resp
		}
		c.Software = (name + " " + version)[:min(len(name)+1+len(version), mostSoftware)]
	}
	for _, a := range s.apis {
		resp.ApiKeys = append(resp.ApiKeys, apiKey(a))
	}
	slices.SortFunc(resp.ApiKeys, func(a, b kmsg.ApiVersionsResponseApiKey) int { return int(a.ApiKey) - int(b.ApiKey) })
	s.tellFeatures(resp)
	return resp
}

func apiKey(a API) kmsg.ApiVersionsResponseApiKey {
	k := kmsg.NewApiVersionsResponseApiKey()
	k.ApiKey, k.MinVersion, k.MaxVersion = a.Key, a.Min, a.Max
	if a.Key == int16(kmsg.Produce) {
		// As Apache Kafka 4 does: librdkafka before 2.8 does not compress where it is more,
		// nor does it ever send these versions (KAFKA-18659).
		k.MinVersion = 0
	}
	return k
}

// tellFeatures leaves out of version 3 features that begin with level 0, which clients
// of the time do not take.
func (s *Server) tellFeatures(resp *kmsg.ApiVersionsResponse) {
	resp.FinalizedFeaturesEpoch = 0
	for _, f := range s.config.Features {
		if f.Min > 0 || resp.Version >= 4 {
			supported := kmsg.NewApiVersionsResponseSupportedFeature()
			supported.Name, supported.MinVersion, supported.MaxVersion = f.Name, f.Min, f.Max
			resp.SupportedFeatures = append(resp.SupportedFeatures, supported)
		}
		if f.Level > 0 {
			finalized := kmsg.NewApiVersionsResponseFinalizedFeature()
			finalized.Name, finalized.MinVersionLevel, finalized.MaxVersionLevel = f.Name, f.Level, f.Level
			resp.FinalizedFeatures = append(resp.FinalizedFeatures, finalized)
		}
	}
}
