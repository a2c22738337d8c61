module karpenter

go 1.26.1

require github.com/aws/karpenter-provider-aws v1.10.0
