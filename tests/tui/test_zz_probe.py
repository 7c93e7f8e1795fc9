from tests.tui.test_journeys import *
async def test_probe(stage):
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        qs=[]
        orig=hand.answer
        async def ans(q,t):
            qs.append((q.id,q.kind,q.optional,q.text.text(), [c.value for c in q.choices]))
            await orig(q,t)
        hand.answer=ans
        await hand.answers({})
        print()
        for q in qs: print(q)
    print(stage.visit().outcome, stage.visit().sealed)
