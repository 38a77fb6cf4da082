package broker

import "github.com/twmb/franz-go/pkg/kmsg"

// served says whether requests with that key are: what producers, consumers
// and administrators of topics and groups need. Left out are authentication,
// access control, quotas, telemetry, share groups, reassignment and what
// brokers say to each other.
func served(key int16) bool {
	switch kmsg.Key(key) {
	case kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata,
		kmsg.OffsetForLeaderEpoch, kmsg.ApiVersions,
		kmsg.FindCoordinator, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.LeaveGroup,
		kmsg.OffsetCommit, kmsg.OffsetFetch, kmsg.OffsetDelete,
		kmsg.DescribeGroups, kmsg.ListGroups, kmsg.DeleteGroups,
		kmsg.ConsumerGroupHeartbeat, kmsg.ConsumerGroupDescribe,
		kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.EndTxn, kmsg.TxnOffsetCommit,
		kmsg.DescribeProducers, kmsg.DescribeTransactions, kmsg.ListTransactions,
		kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.CreatePartitions, kmsg.DeleteRecords,
		kmsg.DescribeConfigs, kmsg.AlterConfigs, kmsg.IncrementalAlterConfigs,
		kmsg.DescribeCluster, kmsg.DescribeLogDirs, kmsg.DescribeTopicPartitions, kmsg.DescribeACLs:
		return true
	}
	return false
}

// produceByName is the last version of Produce that names topics. With topic
// ids kfake panics on a request for two topics that are gone.
const produceByName = 12

func maxVersion(req kmsg.Request) int16 {
	if req.Key() == int16(kmsg.Produce) {
		return produceByName
	}
	return req.MaxVersion()
}
