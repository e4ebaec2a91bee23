"""What people say in Chinese: sentence patterns per topic and the words that fill them."""

from xget_sandbox.world.topics import Phrases

PLACES = (
    "北京", "上海", "深圳", "杭州", "成都", "武汉", "西安", "南京", "广州", "重庆", "苏州", "青岛", "台北", "香港",
    "昆明", "哈尔滨", "厦门", "合肥", "长沙", "乌鲁木齐",
)  # fmt: skip
WHO = (
    "我们团队", "一家创业公司", "市政府", "我的导师", "三所大学", "开源社区", "几位工程师", "隔壁实验室", "一群高中生",
    "监管部门", "一位老教师", "社区志愿者", "研究小组", "医院的护士们",
)  # fmt: skip
WHEN = (
    "今天早上", "昨晚", "上周", "三月以来", "这个周末", "到2030年", "下个季度", "过去十年", "午饭之前", "今年第三次",
    "终于", "一个下午之内",
)  # fmt: skip
FEELING = (
    "真的很佩服。", "大家怎么看？", "值得一读。", "意义重大！", "眼见为实吧。", "希望越来越多。", "数据在评论区。",
    "我是不是漏了什么？", "虽然不完美，但是个开始 🙌", "终于等到了！", "一起加油 💪", "转给需要的朋友。",
)  # fmt: skip

CLIMATE = (
    "{place}{when}发布气候报告：降水增加{pct}%，高温日多了{n}天。",
    "{who}公开了{place}{n}年的气候数据，可以免费下载。",
    "气候变化不再是远方的事，{place}的保费{when}涨了{pct}%。",
    "{who}在{place}种了{n}棵树，成活率{pct}%，气候行动从身边开始。",
    "{place}的风电{when}满足了{pct}%的需求，气候目标又近一步。",
    "给{place}的{n}个孩子上气候科学课，是我最开心的工作。",
    "新的气候模型{when}跑完了{n}种情景，对{place}的预测一致性达到{pct}%。",
)
AI = (
    "{who}用人工智能读完了{n}页会议记录，找出了{pct}%的错误。",
    "人工智能不会取代{who}，但它{when}回了{n}封邮件。",
    "{when}测试了{n}个人工智能模型，最小的那个保住了{pct}%的分数。",
    "{place}举办人工智能安全研讨会，来了{n}个人，没有一句空话。",
    "人工智能把{place}的通知翻译成{n}种语言，{pct}%不用修改。",
    "开源让人工智能真正走进{place}，{who}最有发言权。",
    "{who}用AI给{place}重新排了公交时刻表，换乘失败少了{pct}%。",
    "{place}的医院{when}上线人工智能读片，{n}例里有{pct}%提前发现。",
    "训练一个小小的人工智能来听鸟叫，在{place}录了{n}小时，准确率{pct}%！",
)
QUANTUM = (
    "{who}{when}实现了{n}个逻辑量子比特，{place}沸腾了。",
    "量子通信从{place}到机场{n}公里，整晚{pct}%的时间在线。",
    "{who}用{n}个咖啡杯讲清楚了量子退火。",
    "{place}地下的量子传感器{when}找到{n}条被遗忘的隧道。",
)
FOOTBALL = (
    "{place}队开场{n}秒就进球，足球就是这么不讲理。",
    "{place}的足球之夜：射门{n}次，控球率{pct}%，零进球。",
)
SPACE = (
    "火箭推迟{n}次之后一次回收成功，{place}{when}都听见了音爆。",
    "{place}附近的望远镜{when}新发现{n}颗小行星，{who}找到最小的那颗。",
)
MARKETS = (
    "{place}的股市{when}涨了{pct}%，{who}说是天气的功劳。",
    "{when}卖了{n}股，{place}的房价还要再等等。",
)

CHINESE = Phrases(
    fill={"place": PLACES, "who": WHO, "when": WHEN},
    closing=FEELING,
    joiner="",
    topics={
        "climate": (CLIMATE, ("climate", "气候变化", "碳中和")),
        "ai": (AI, ("人工智能", "AI", "开源")),
        "quantum": (QUANTUM, ("量子", "量子计算")),
        "football": (FOOTBALL, ("足球", "世界杯")),
        "space": (SPACE, ("航天",)),
        "markets": (MARKETS, ("股市",)),
    },
)
