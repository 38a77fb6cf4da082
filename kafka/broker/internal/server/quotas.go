package server

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// describeQuotas tells that there are none, which tools that show users ask for. Quotas
// cannot be set: AlterClientQuotas is not served.
func (s *Server) describeQuotas(c call, req *kmsg.DescribeClientQuotasRequest) {
	resp := kmsg.NewPtrDescribeClientQuotasResponse()
	if s.mayCluster(c.conn, kmsg.ACLOperationDescribeConfigs) {
		resp.Entries = []kmsg.DescribeClientQuotasResponseEntry{}
	} else {
		resp.ErrorCode, resp.ErrorMessage = failure(kerr.ClusterAuthorizationFailed)
	}
	c.answer(req, resp)
}
