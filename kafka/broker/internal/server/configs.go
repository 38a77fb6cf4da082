package server

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// allBrokers is the name of the defaults of all brokers.
const allBrokers = ""

func (s *Server) describeConfigs(c call, req *kmsg.DescribeConfigsRequest) {
	resp := kmsg.NewPtrDescribeConfigsResponse()
	resources := distinct(req.Resources, func(r kmsg.DescribeConfigsRequestResource) string { return resource(r.ResourceType, r.ResourceName) })
	for _, r := range resources {
		answer := kmsg.NewDescribeConfigsResponseResource()
		answer.ResourceType, answer.ResourceName = r.ResourceType, r.ResourceName
		settings, err := s.settingsOf(c, r.ResourceType, r.ResourceName, kmsg.ACLOperationDescribeConfigs)
		answer.ErrorCode, answer.ErrorMessage = failure(err)
		for _, setting := range settings {
			if r.ResourceType == kmsg.ConfigResourceTypeBroker && r.ResourceName == allBrokers && !setting.Own {
				continue // nobody has set a default
			}
			if len(r.ConfigNames) == 0 || slices.Contains(r.ConfigNames, setting.Name) {
				answer.Configs = append(answer.Configs, describeSetting(req, r, setting))
			}
		}
		resp.Resources = append(resp.Resources, answer)
	}
	c.answer(req, resp)
}

// settingsOf are those of a topic or of the broker, if the connection may op them.
func (s *Server) settingsOf(c call, kind kmsg.ConfigResourceType, name string, op kmsg.ACLOperation) ([]node.Setting, error) {
	switch kind {
	case kmsg.ConfigResourceTypeTopic:
		t := s.topic(name)
		switch {
		case !s.mayTopic(c.conn, op, name):
			return nil, kerr.TopicAuthorizationFailed
		case !node.ValidName(name):
			return nil, kerr.InvalidTopicException
		case t == nil:
			return nil, kerr.UnknownTopicOrPartition
		}
		return t.Settings(), nil
	case kmsg.ConfigResourceTypeBroker:
		switch {
		case !s.mayCluster(c.conn, op):
			return nil, kerr.ClusterAuthorizationFailed
		case name != allBrokers && name != strconv.Itoa(int(NodeID)):
			return nil, fmt.Errorf("%w: the only broker is %d, not %q", kerr.InvalidRequest, NodeID, name)
		}
		return s.node.BrokerSettings(), nil
	}
	return nil, fmt.Errorf("%w: topics and the broker have settings here, %s has none", kerr.InvalidRequest, kind)
}

func describeSetting(req *kmsg.DescribeConfigsRequest, of kmsg.DescribeConfigsRequestResource, setting node.Setting) kmsg.DescribeConfigsResponseResourceConfig {
	config := kmsg.NewDescribeConfigsResponseResourceConfig()
	config.Name, config.Value, config.ConfigType = setting.Name, kmsg.StringPtr(setting.Value), kmsg.ConfigType(setting.Type)
	config.ReadOnly = !setting.Dynamic
	values := valuesOf(setting, of)
	config.Source = values[0].Source
	config.IsDefault = config.Source == kmsg.ConfigSourceDefaultConfig
	if req.IncludeDocumentation {
		config.Documentation = kmsg.StringPtr(setting.Doc)
	}
	if req.IncludeSynonyms {
		config.ConfigSynonyms = synonyms(values)
	}
	return config
}

// valuesOf are those that a setting has, the one that counts first. What was changed at
// run time counts for the one broker there is, by its name and as the default of all.
func valuesOf(setting node.Setting, of kmsg.DescribeConfigsRequestResource) []node.Value {
	values := slices.Clone(setting.Values)
	if of.ResourceType == kmsg.ConfigResourceTypeBroker && of.ResourceName != allBrokers && setting.Own {
		values[0].Source = kmsg.ConfigSourceDynamicBrokerConfig
	}
	return values
}

func synonyms(values []node.Value) []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym {
	all := make([]kmsg.DescribeConfigsResponseResourceConfigConfigSynonym, len(values))
	for i, v := range values {
		all[i] = kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
		all[i].Name, all[i].Value, all[i].Source = v.Name, kmsg.StringPtr(v.Value), v.Source
	}
	return all
}

// alterConfigs replaces all settings of a resource.
func (s *Server) alterConfigs(c call, req *kmsg.AlterConfigsRequest) {
	resp := kmsg.NewPtrAlterConfigsResponse()
	again := twice(req.Resources, func(r kmsg.AlterConfigsRequestResource) string { return resource(r.ResourceType, r.ResourceName) })
	for _, r := range req.Resources {
		answer := kmsg.NewAlterConfigsResponseResource()
		answer.ResourceType, answer.ResourceName = r.ResourceType, r.ResourceName
		changes := make([]change, len(r.Configs))
		for i, config := range r.Configs {
			changes[i] = change{config.Name, kmsg.IncrementalAlterConfigOpSet, config.Value}
		}
		err := errTwice
		if !again[resource(r.ResourceType, r.ResourceName)] {
			err = s.alter(c, r.ResourceType, r.ResourceName, true, changes, req.ValidateOnly)
		}
		answer.ErrorCode, answer.ErrorMessage = failure(err)
		resp.Resources = append(resp.Resources, answer)
	}
	c.answer(req, resp)
}

func (s *Server) incrementalAlterConfigs(c call, req *kmsg.IncrementalAlterConfigsRequest) {
	resp := kmsg.NewPtrIncrementalAlterConfigsResponse()
	again := twice(req.Resources, func(r kmsg.IncrementalAlterConfigsRequestResource) string {
		return resource(r.ResourceType, r.ResourceName)
	})
	for _, r := range req.Resources {
		answer := kmsg.NewIncrementalAlterConfigsResponseResource()
		answer.ResourceType, answer.ResourceName = r.ResourceType, r.ResourceName
		changes := make([]change, len(r.Configs))
		for i, config := range r.Configs {
			changes[i] = change{config.Name, config.Op, config.Value}
		}
		err := errTwice
		if !again[resource(r.ResourceType, r.ResourceName)] {
			err = s.alter(c, r.ResourceType, r.ResourceName, false, changes, req.ValidateOnly)
		}
		answer.ErrorCode, answer.ErrorMessage = failure(err)
		resp.Resources = append(resp.Resources, answer)
	}
	c.answer(req, resp)
}

// resource names a resource of any type.
func resource(kind kmsg.ConfigResourceType, name string) string {
	return fmt.Sprint(int8(kind), " ", name)
}

var errTwice = fmt.Errorf("%w: the resource comes twice", kerr.InvalidRequest)

// change is one change to a setting.
type change struct {
	name  string
	op    kmsg.IncrementalAlterConfigOp
	value *string
}

// alter changes the settings of a resource, all or none.
func (s *Server) alter(c call, kind kmsg.ConfigResourceType, name string, afresh bool, changes []change, validateOnly bool) error {
	s.altering.Lock() // reads, changes and writes
	defer s.altering.Unlock()
	settings, err := s.settingsOf(c, kind, name, kmsg.ACLOperationAlterConfigs)
	if err != nil {
		return err
	}
	own := map[string]string{}
	current := map[string]string{}
	for _, setting := range settings {
		current[setting.Name] = setting.Value
		if setting.Own && !afresh {
			own[setting.Name] = setting.Value
		}
	}
	named := map[string]bool{}
	for _, ch := range changes {
		if named[ch.name] {
			return fmt.Errorf("%w: %s comes twice", kerr.InvalidRequest, ch.name)
		}
		named[ch.name] = true
		if err := ch.apply(own, current); err != nil {
			return err
		}
	}
	if kind == kmsg.ConfigResourceTypeTopic {
		return s.node.SetSettings(name, own, validateOnly)
	}
	return s.node.SetBrokerSettings(own, validateOnly)
}

func (ch change) apply(own, current map[string]string) error {
	name := strings.Clone(ch.name)
	if ch.op == kmsg.IncrementalAlterConfigOpDelete {
		delete(own, name)
		return nil
	}
	if ch.value == nil {
		return fmt.Errorf("%w: %s has no value", kerr.InvalidRequest, name)
	}
	value := strings.Clone(*ch.value)
	switch ch.op {
	case kmsg.IncrementalAlterConfigOpSet:
		own[name] = value
	case kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract:
		if !isList(name) {
			return fmt.Errorf("%w: %s is no list, to which something could be added", kerr.InvalidConfig, name)
		}
		own[name] = changeList(current[name], value, ch.op == kmsg.IncrementalAlterConfigOpAppend)
	default:
		return fmt.Errorf("%w: operation %d on %s is not known", kerr.InvalidRequest, ch.op, name)
	}
	return nil
}

// isList says whether a setting has several values.
func isList(name string) bool {
	return name == "cleanup.policy" || name == "log.cleanup.policy" || strings.HasSuffix(name, ".throttled.replicas")
}

func changeList(list, items string, add bool) string {
	var all []string
	if list != "" {
		all = strings.Split(list, ",")
	}
	for _, item := range strings.Split(items, ",") {
		at := slices.Index(all, item)
		switch {
		case add && at < 0:
			all = append(all, item)
		case !add && at >= 0:
			all = slices.Delete(all, at, at+1)
		}
	}
	return strings.Join(all, ",")
}
