"""中文。"""

from __future__ import annotations

from collections.abc import Mapping

from ..findings import Severity
from .words import Explanation, Words

WORDS = Words(
    usage="""\
列出 Celery 应用的任务改由 Cardoon 执行时有哪些不同

用法：cardoon assess -A APP [-o FORMAT] [--lang LANGUAGE]

  -A, --app APP        应用，写法与 celery -A 相同：proj、proj:app、proj.celery
  -o, --output FORMAT  table 或 json（默认 table）
      --lang LANGUAGE  en 或 zh（默认随系统区域设置）
  -h, --help           显示本帮助

只导入应用，不建立任何连接。

退出状态：0 没有会丢任务或不支持的项目，1 有，2 用法错误，6 应用无法导入。
""",
    severities={
        Severity.LOSES_TASKS: "会丢任务",
        Severity.UNSUPPORTED: "不支持",
        Severity.DIFFERS: "行为不同",
        Severity.INFO: "供参考",
    },
    celery="Celery",
    cardoon="Cardoon",
    fix="处理",
    head="{app}：{tasks} 个任务，Celery {celery}",
    more_places="另有 {count} 处；用 -o json 查看全部",
    missing_app="缺少 -A：用它指定应用",
    missing_value="{argument} 后面缺少值",
    unknown_argument="无法识别的参数：{argument}",
    bad_choice="{argument} 只能是 {choices}，不能是 {value}",
    usage_hint="参见：cardoon assess --help",
    no_celery="这个 Python 环境里没有安装 Celery：{python}",
    import_failed="无法导入 {app}，其代码抛出：",
    not_an_application="{app} 不是 Celery 应用；请按 celery -A {app} report 能接受的写法指定",
)

EXPLANATIONS: Mapping[str, Explanation] = {
    "early-ack": Explanation(
        "任务执行之前就确认（{total} 个任务中的 {count} 个）。worker 一死，任务就丢了。",
        "任务结束之后才确认。worker 死掉后任务会重新执行，所以任务必须可以安全地重复执行。",
        "{set:True}  # 先确认任务执行两次也没有问题",
    ),
    "early-ack-chosen": Explanation(
        "按应用的要求，在任务执行之前确认。worker 一死，任务就丢了。",
        "尊重应用的要求。worker 死掉时，已经开始的任务不会重复执行，而是记为失败、结果未知。",
        "{set:True}  # 前提是可以安全地重复执行",
    ),
    "worker-lost-ack": Explanation(
        "即使任务设置了延后确认（acks_late），子进程被杀（例如内存不足）时仍然会确认：任务记为失败，不再执行。",
        "重新执行。连续三次导致进程死掉的任务进入死信。",
        "{set:True}",
    ),
    "failure-dropped": Explanation(
        "失败或超时的任务，消息会被拒绝。在 Redis 上消息就此消失；在 RabbitMQ 上，队列配了死信交换机才会留下。",
        "最终失败的任务，消息都保留在死信里，用 `cardoon dead redrive` 可以重新发送。",
        "{set:True}",
    ),
    "eta-redelivery": Explanation(
        "延迟任务放在 worker 的内存里。超过 {limit} 秒，Redis 会把它交给另一个 worker，结果执行多次。",
        "延迟任务放在 broker 里，没有 visibility timeout，重启也不会丢。",
        'broker_transport_options["visibility_timeout"] = {enough}  # 给 Celery 的 worker；Cardoon 无需设置',
    ),
    "visibility-timeout": Explanation(
        "消息超过这个时间没有确认就交给别的 worker，即使原来的 worker 还在执行。",
        "忽略它，改用心跳续期的租约：worker 死掉后，它的任务几秒内就重新执行。",
        "无需处理；停掉最后一个 Celery worker 时一并删除即可。",
    ),
    "long-expires": Explanation(
        "worker 预取或延迟的消息，拿在手上超过 {limit} 秒，还没过期就会交给别的 worker。",
        "任务可以一直等到过期；活着的 worker 手上的任务不会交给别人。",
        "无需处理。",
    ),
    "long-run": Explanation(
        "延后确认（acks_late）的任务执行超过 {limit} 秒，会被交给另一个 worker，执行两次。",
        "只要 worker 活着就一直续租：不会因为任务时间长而重复执行。",
        'broker_transport_options["visibility_timeout"] = {enough}  # 给 Celery 的 worker；Cardoon 无需设置',
    ),
    "eta-limit": Explanation(
        "限制一个 worker 在内存里保留多少延迟任务。",
        "忽略它：延迟任务在 broker 里等待，不占 worker 的内存。",
        "无需处理；停掉最后一个 Celery worker 时一并删除即可。",
    ),
    "serializer-refused": Explanation(
        "这个应用的 worker 不接受 {serializer}：收到这样的消息会确认后丢弃。",
        "不允许读取的消息原样放进死信。",
        '{set:"json"}  # 或在 accept_content 里加上 "{serializer}"',
    ),
    "pickle-accepted": Explanation(
        "读取 pickle，也就是会执行消息里携带的任意代码。",
        "只有 Python worker 会读 pickle，而且仅仅因为这里列出了它；Rust worker 一律拒绝。",
        'app.conf.accept_content = ["json"]  # 同时设置 task_serializer = "json"',
    ),
    "other-serializer": Explanation(
        "用这种格式写消息。",
        "能读 YAML 和 msgpack；自己写的是 JSON。",
        '{set:"json"}  # 也可以不改',
    ),
    "auth-serializer": Explanation(
        "给消息签名，并校验签名。",
        "不读取签名的消息，它们会进入死信。",
        '{set:"json"}  # 用 rediss:// 保护传输',
    ),
    "custom-serializer": Explanation(
        "使用应用在 kombu 里注册的序列化方式。",
        "能读 JSON、msgpack 和 YAML，其他消息进入死信。",
        '{set:"json"}',
    ),
    "result-serializer": Explanation(
        "用这种格式保存结果。",
        "结果的读写都用 JSON。",
        '{set:"json"}',
    ),
    "compression": Explanation(
        "用这种方法压缩。",
        "能读 zlib、gzip、bzip2、xz 和 zstd，其他消息进入死信。",
        '{set:"gzip"}',
    ),
    "old-protocol": Explanation(
        "发送协议第 1 版的消息。",
        "第 1、2 版都能读，写第 2 版。",
        "{set:2}",
    ),
    "message-signing": Explanation(
        "配置了用于消息签名的密钥或证书。",
        "不签名，也不校验签名。",
        "删除 {setting}；用 rediss:// 保护到 broker 的传输。",
    ),
    "pool-green": Explanation(
        "在绿色线程里执行任务，等待时切换。",
        "没有绿色线程。等待型的任务在线程里执行，或写成 `async def` 在事件循环上执行。",
        'app.conf.worker_pool = "threads"',
    ),
    "pool-custom": Explanation(
        "用应用自己的 pool 类执行任务。",
        "有自己的进程、线程和事件循环，不加载 pool 类。",
        'app.conf.worker_pool = "prefork"',
    ),
    "pool-solo": Explanation(
        "在 worker 自己的进程里一次执行一个任务，这期间不响应任何请求。",
        "在子进程里执行任务，worker 一直能响应，任务崩溃也不受影响。",
        'app.conf.worker_pool = "prefork"  # 并设置 worker_concurrency = 1',
    ),
    "pool-threads": Explanation(
        "在 worker 进程的线程里执行任务。",
        "在子进程的线程里执行。",
        "无需处理。",
    ),
    "pool-prefork": Explanation(
        "在 fork 出来的子进程里执行任务。",
        "同样在子进程里执行；子进程被杀会补上，任务会重新执行。",
        "无需处理。",
    ),
    "prefetch": Explanation(
        "规定 worker 为每个槽位预取多少条消息。",
        "忽略它：worker 按空闲槽位领取，只有实测任务很短时才多取。",
        "无需处理；停掉最后一个 Celery worker 时一并删除即可。",
    ),
    "concurrency": Explanation(
        "规定同时执行多少个任务。",
        "有自己的选项和设置。",
        "cardoon worker --concurrency N  # 或 CARDOON_WORKER__CONCURRENCY=N",
    ),
    "recycle-tasks": Explanation(
        "子进程执行这么多任务之后替换，新进程由 worker 启动。",
        "同样会替换；新进程从已经导入应用的进程 fork 出来。",
        "无需处理。",
    ),
    "recycle-memory": Explanation(
        "子进程的内存超过这个值（KiB），任务结束后就替换。",
        "做法相同；新进程从已经导入应用的进程 fork 出来。",
        "无需处理。",
    ),
    "autoscaler": Explanation(
        "由应用的类来增减进程池。",
        "槽位数量固定；空闲的槽位几乎没有开销。",
        "cardoon worker --concurrency N  # 取 autoscaler 能达到的最大值",
    ),
    "shutdown-grace": Explanation(
        "关闭时允许正在执行的任务再运行这么久。",
        "有自己的设置，默认 25 秒；到时没做完的任务在别处执行。",
        "cardoon worker --grace {value}s",
    ),
    "worker-extension": Explanation(
        "worker 会加载它。",
        "worker 是另一个程序，不会加载它。",
        "让 {name} 在单独的进程里运行，或为它保留一个 Celery worker。",
    ),
    "broker-unsupported": Explanation(
        "从 {scheme} 取消息。",
        "目前只支持 Redis 和 SQLite。",
        'app.conf.broker_url = "redis://localhost:6379/0"',
    ),
    "broker-failover": Explanation(
        "依次尝试 {count} 个服务器。",
        "只用一个 URL，主从切换靠 Sentinel。",
        "CARDOON_BROKER=redis+sentinel://HOST:26379,HOST2:26379/NAME/0",
    ),
    "broker-split": Explanation(
        "读和写用不同的 broker。",
        "读和写用同一个 URL。",
        "删除 {setting}，只用 broker_url。",
    ),
    "sentinel-url": Explanation(
        "Sentinel 写成 sentinel://，主节点名字写在传输选项的 master_name 里。",
        "写成一个 URL，里面带主节点的名字。",
        "CARDOON_BROKER={url}",
    ),
    "tls-options": Explanation(
        "TLS 选项取自这个设置。",
        "TLS 选项取自 URL，证书一律要校验。URL 是 redis:// 时拒绝启动（CD4002）。",
        "CARDOON_BROKER=rediss://HOST:6379/0?ssl_ca_certs={authorities}",
    ),
    "tls-unchecked": Explanation(
        "不要求服务器的证书有效。",
        "一律校验，不受信任的证书会被拒绝（CD1208）。",
        "CARDOON_BROKER=rediss://HOST:6379/0?ssl_ca_certs=FILE  # 签发该证书的 CA",
    ),
    "tls-client-certificate": Explanation(
        "向服务器出示客户端证书。",
        "不支持客户端证书，用用户名和密码登录。",
        "ACL SETUSER cardoon on >PASSWORD ~* &* +@all  # 在服务器上执行，并设置 `tls-auth-clients no`",
    ),
    "redis-layout": Explanation(
        "改变了 Redis 上列表的名字。",
        "只读名字、分隔符和优先级档位都是默认值的列表；有这个选项时拒绝启动（CD4002）。",
        '从 {setting} 中删除 "{option}"。',
    ),
    "queue-order": Explanation(
        "按这个策略选择下一个队列。",
        "轮流从各个队列领取。",
        "cardoon worker -Q QUEUE  # 给必须优先的队列单独一个 worker",
    ),
    "transport-option": Explanation(
        "把这个选项交给传输层。",
        "使用自己的连接，不读这个选项。",
        "无需处理。",
    ),
    "backend-unsupported": Explanation(
        "结果存放在 {scheme}。",
        "目前只支持 Redis 和 SQLite。",
        "app.conf.result_backend = {wanted}",
    ),
    "no-results": Explanation(
        "不保存结果。",
        "结果与消息存放在一起，保留一天，除非任务声明忽略结果。",
        "app.conf.task_ignore_result = True  # 或设置 result_backend",
    ),
    "results-apart": Explanation(
        "结果与消息存放在不同的地方。",
        "两者在一处时，保存结果和确认一步完成；这里要分两步，每一步都可以重复执行。",
        "app.conf.result_backend = app.conf.broker_url",
    ),
    "result-expires": Explanation(
        "结果按这个设置的时间保留。",
        "所有结果共用一个设置，默认一天。",
        "CARDOON_RETENTION__RESULTS={kept}",
    ),
    "ignore-result": Explanation(
        "不保存结果。",
        "同样不保存；失败会有记录，消息在死信里。",
        "无需处理。",
    ),
    "rate-limit": Explanation(
        "每个 worker 各自限速；超出限速的任务会堵住预取的消息。",
        "目前没有限速功能。",
        'app.conf.task_routes = {{"{pattern}": {{"queue": "limited"}}}}  # 再运行 cardoon worker -Q limited -c 1',
    ),
    "annotations": Explanation(
        "用这里的选项覆盖任务定义里写的选项，时间限制也包括在内。",
        "不读取这项设置：任务的选项以定义为准。",
        "@app.task(time_limit=…)  # 把选项写到任务定义处",
    ),
    "time-limit": Explanation(
        "到软限制时向子进程发信号，到硬限制时杀掉子进程。",
        "做法相同，从开始执行起计时；不理会信号的代码也会被硬限制终止。",
        "无需处理。",
    ),
    "time-limit-pool": Explanation(
        "在这种 pool 里时间限制不起作用。",
        "时间限制起作用：超过硬限制的任务记为超时。线程无法强行停止，它占用的槽位会作废。",
        'app.conf.worker_pool = "prefork"  # 这样才能真正终止任务',
    ),
    "custom-send": Explanation(
        "应用的代码发送任务时会调用这些方法。",
        "由 Cardoon 自己发送的（例如 `cardoon task retry`）不经过这些方法。",
        "发送时要附加的内容，改到 before_task_publish 信号里做。",
    ),
    "custom-call": Explanation(
        "执行任务时调用应用类的 __call__。",
        "在子进程里用 Celery 自己的 tracer 执行任务，同样会调用。",
        "无需处理。",
    ),
    "task-handlers": Explanation(
        "任务开始或结束时调用这些处理方法。",
        "在子进程里调用。子进程被杀时，由另一个子进程调用 on_failure。",
        "任务与处理方法之间不要靠进程内的状态传递信息。",
    ),
    "custom-request": Explanation(
        "在 worker 主进程里使用应用的这些类。",
        "没有 Python 主进程，不加载这些类。",
        "把类里的代码移到任务的 before_start、on_failure 或 after_return。",
    ),
    "chosen-id": Explanation(
        "即使 id 以前用过，再次发送仍会重新执行。",
        "Redis 上也是这样。SQLite 上一个 id 就是一个任务：再次发送已有的 id 不会增加任务，哪怕任务早已结束。",
        "去掉 task_id，或者为每个要执行的任务生成新的 id。",
    ),
    "bound-task": Explanation(
        "第一个参数是任务本身，self.request 是消息。",
        "完全相同；self.request.hostname 是 Cardoon worker 的名字。",
        "无需处理。",
    ),
    "async-task": Explanation(
        "只调用函数而不 await，函数体并没有执行。",
        "在事件循环上执行。",
        "把这类任务放进只有 Cardoon worker 领取的队列：cardoon worker -Q QUEUE",
    ),
    "autoretry": Explanation(
        "带着 ETA 重新发送，在 worker 的内存里等待。",
        "重试的时间和次数相同，在 broker 里等待。",
        "无需处理。",
    ),
    "endless-retries": Explanation(
        "无限重试，不保留失败的历史。",
        "同样无限重试，每次失败都有记录。",
        "{set:10}  # 最终失败的任务就会进入死信",
    ),
    "track-started": Explanation(
        "每次执行前把 STARTED 状态写进结果后端。",
        "不靠它也知道哪些任务在执行：cardoon task list",
        "无需处理。",
    ),
    "always-eager": Explanation(
        "任务在发送方的进程里直接执行，不发送消息。",
        "收不到消息，worker 无事可做。",
        "{set:False}",
    ),
    "priority": Explanation(
        "在 Redis 上 0 最优先，没有设置优先级的任务也是 0。",
        "Celery 的消息保持原来的含义；Cardoon 自己的命令里 9 最优先。",
        "cardoon send TASK --priority 9  # 最优先，相当于 Celery 发送方写的 0",
    ),
    "canvas-in-task": Explanation(
        "任务用这些原语发送的工作流，由 worker 展开并继续。",
        "目前拒绝 chain、group、chord 的消息，把它们保留在死信里。",
        'task.s().set(queue="canvas")  # 工作流里的每个签名都要设置，由 Celery worker 处理这个队列',
    ),
    "canvas": Explanation(
        "按消息里的内容继续执行 chain、group 和 chord。从应用本身看不出会发送哪些。",
        "worker 目前拒绝这样的消息，把它们保留在死信里。",
        'task.s().set(queue="canvas")  # 工作流里的每个签名都要设置，由 Celery worker 处理这个队列',
    ),
    "queue-exchange": Explanation(
        "经过会复制消息或按模式匹配的交换机路由。",
        "按名字从队列领取，不声明交换机。",
        'app.conf.task_routes = {{"proj.tasks.*": {{"queue": "NAME"}}}}  # 直接按任务路由',
    ),
    "queue-priority": Explanation(
        "要求 RabbitMQ 建立带优先级的队列，数字越大越优先。",
        "还不支持 RabbitMQ；优先级按 Redis 的规则，0 最优先。",
        "删除 x-max-priority，并把数字的大小反过来。",
    ),
    "queue-arguments": Explanation(
        "声明队列时带参数，RabbitMQ 会照办；Redis 只认 x-expires。",
        "不声明队列，也不理会参数。",
        "@app.task(expires=SECONDS)  # 代替队列上的限制",
    ),
    "worker-direct": Explanation(
        "每个 worker 有自己的队列，可以把任务发给指定的 worker。",
        "没有属于单个 worker 的队列。",
        "cardoon worker -Q NAME  # 只有一个 worker 的队列",
    ),
    "routes-function": Explanation(
        "发送任务时向这个路由询问队列。",
        "Celery 发送方发出的任务照样经过它；Cardoon 自己的命令不调用它。",
        "cardoon send TASK --queue NAME",
    ),
    "queues": Explanation(
        "没有 -Q 的 worker 从这些队列领取。",
        "没有另外指定时，worker 只从 `celery` 领取。",
        "CARDOON_WORKER__QUEUES={queues}",
    ),
    "beat-schedule": Explanation(
        "由一个 `celery beat` 发送这些条目；有两个就会全部发送两次。",
        "支持固定间隔和 crontab；也可以继续由 `celery beat` 发给 Cardoon 的 worker。",
        "`celery beat` 和 Cardoon 只能由其中一个发送，不要同时运行。",
    ),
    "beat-solar": Explanation(
        "按太阳的位置计算时间。",
        "支持固定间隔和 crontab。",
        "为 {name} 保留 `celery beat`，或改用 crontab。",
    ),
    "beat-custom-schedule": Explanation(
        "由应用的类决定何时到期。",
        "支持固定间隔和 crontab，不加载自定义的 schedule 类。",
        "为 {name} 保留 `celery beat`，或改用 crontab。",
    ),
    "beat-id": Explanation(
        "每次到点都用这个 id 发送。",
        "每次到点都有自己的 id，两个调度进程靠它避免重复发送，所以 `cardoon beat` 拒绝这个条目。",
        'del app.conf.beat_schedule["{name}"]["options"]["task_id"]',
    ),
    "beat-scheduler": Explanation(
        "条目由这个类提供，例如来自 Django 的数据库。",
        "只读 beat_schedule。",
        "保留使用这个类的 `celery beat -S`，它也能发给 Cardoon 的 worker。",
    ),
    "beat-unknown-task": Explanation(
        "发送 {task}，但应用里没有这个任务；不认识它的 worker 会丢弃。",
        "留给认识它的 worker，或放进死信。",
        'app.conf.imports = ("MODULE",)  # 定义 {task} 的模块',
    ),
    "signal-in-child": Explanation(
        "在执行或发送任务的地方发出这个信号。",
        "同样会发出，在子进程里。",
        "无需处理。",
    ),
    "signal-not-sent": Explanation(
        "在 worker 主进程里发出这个信号。",
        "没有 Python 主进程，从不发出这个信号。",
        "把接收函数的工作移到 worker_process_init 或 task_prerun。",
    ),
    "signal-logging": Explanation(
        "由接收函数设置 worker 的日志。",
        "自己写日志，并收集子进程的输出；不会调用接收函数。",
        "在导入应用的地方设置日志。",
    ),
    "remote-control": Explanation(
        "响应 `celery inspect` 和 `celery control`。",
        "不响应；撤销保存在存储里，各种列表也从存储读取。",
        "{set:False}  # 改用 cardoon task list、cardoon queue list",
    ),
    "control-command": Explanation(
        "在 worker 主进程里响应应用定义的这个命令。",
        "不支持应用定义的命令。",
        "把 {name} 写成任务来发送。",
    ),
    "celery-events": Explanation(
        "发布事件，供 Flower 和 `celery events` 显示。",
        "发布自己的事件，不是 Celery 的事件。",
        "cardoon events",
    ),
    "ignored-setting": Explanation(
        "worker 会读这个设置。",
        "worker 不读这个设置。",
        "无需处理；停掉最后一个 Celery worker 时一并删除即可。",
    ),
    "unknown-setting": Explanation(
        "不认识这个设置，直接忽略，除非有扩展会读它。",
        "忽略。",
        "删除 {setting}，除非有扩展会读它。",
    ),
    "misspelt-setting": Explanation(
        "不认识这个名字，直接忽略。它很像 {meant}。",
        "同样忽略。",
        "把 {setting} 改成 {meant}。",
    ),
}
